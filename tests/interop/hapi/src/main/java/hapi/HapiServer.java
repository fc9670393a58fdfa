package hapi;

import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.ResourceCountCacheUtil;
import ca.uhn.fhir.jpa.util.ResourceCountCache;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.provider.DaoRegistryResourceSupportedSvc;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import ca.uhn.fhir.rest.api.IResourceSupportedSvc;
import ca.uhn.fhir.rest.server.HardcodedServerAddressStrategy;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.RequestValidatingInterceptor;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import ca.uhn.fhir.validation.IInstanceValidatorModule;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import jakarta.persistence.EntityManagerFactory;
import java.io.FileInputStream;
import java.io.InputStream;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.h2.jdbcx.JdbcConnectionPool;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;
import ca.uhn.fhir.context.FhirContext;

/**
 * HAPI FHIR's JPA server on H2 in memory: mutual TLS on loopback, every request validated, an invalid one refused,
 * references enforced.  "HapiServer KEYSTORE.p12 CA.pem"; prints "PORT n" and ends with its standard input.
 */
public class HapiServer {
    private static final String PASSWORD = "test-only";

    @Configuration
    @Import({
        JpaR4Config.class, ThreadPoolFactoryConfig.class, JpaBatch2Config.class, Batch2JobsConfig.class,
        SubscriptionSubmitterConfig.class, SubscriptionChannelConfig.class
    })
    static class Beans {
        @Bean
        JpaStorageSettings jpaStorageSettings() {
            JpaStorageSettings settings = new JpaStorageSettings();
            settings.setSchedulingDisabled(true);
            settings.setReuseCachedSearchResultsForMillis(null); // a search sees what is there now
            return settings;
        }

        @Bean
        PartitionSettings partitionSettings() {
            return new PartitionSettings();
        }

        @Bean
        SubscriptionSettings subscriptionSettings() {
            return new SubscriptionSettings();
        }

        @Bean
        DatabaseBackedPagingProvider databaseBackedPagingProvider() {
            return new DatabaseBackedPagingProvider();
        }

        @Bean
        IResourceSupportedSvc resourceSupportedSvc(ca.uhn.fhir.jpa.api.IDaoRegistry registry) {
            return new DaoRegistryResourceSupportedSvc(registry);
        }

        @Bean(name = "myResourceCountsCache") // its /metadata asks for it by this name
        ResourceCountCache resourceCounts(IFhirSystemDao<?, ?> dao) {
            return ResourceCountCacheUtil.newResourceCountCache(dao);
        }

        @Bean
        DataSource dataSource() {
            JdbcConnectionPool pool = JdbcConnectionPool.create("jdbc:h2:mem:hapi;DB_CLOSE_DELAY=-1", "sa", "");
            pool.setMaxConnections(30);
            return pool;
        }

        @Primary
        @Bean
        LocalContainerEntityManagerFactoryBean entityManagerFactory(
                DataSource dataSource, ConfigurableListableBeanFactory beans, FhirContext context,
                JpaStorageSettings settings) {
            LocalContainerEntityManagerFactoryBean factory =
                    HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, context, settings);
            Map<String, Object> properties = new HashMap<>();
            properties.put("hibernate.dialect", HapiFhirH2Dialect.class.getName());
            properties.put("hibernate.hbm2ddl.auto", "create");
            properties.put("hibernate.search.enabled", "false");
            properties.put("hibernate.jdbc.batch_size", "20");
            factory.setPersistenceUnitName("HAPI_PU");
            factory.setJpaPropertyMap(properties);
            factory.setDataSource(dataSource);
            return factory;
        }

        @Primary
        @Bean
        JpaTransactionManager transactionManager(EntityManagerFactory factory) {
            return new JpaTransactionManager(factory);
        }
    }

    @SuppressWarnings({"rawtypes", "unchecked"})
    private static RestfulServer fhirServer(AnnotationConfigApplicationContext context, String base) {
        IFhirSystemDao dao = context.getBean(IFhirSystemDao.class);
        RestfulServer server = new RestfulServer(dao.getContext());
        server.registerProviders(context.getBean("myResourceProvidersR4", ResourceProviderFactory.class)
                .createProviders());
        server.registerProvider(context.getBean(JpaSystemProvider.class));
        server.setServerConformanceProvider(new JpaCapabilityStatementProvider(
                server, dao, context.getBean(JpaStorageSettings.class), context.getBean(ISearchParamRegistry.class),
                context.getBean(IValidationSupport.class)));
        server.setPagingProvider(context.getBean(DatabaseBackedPagingProvider.class));
        server.setServerAddressStrategy(new HardcodedServerAddressStrategy(base));
        RequestValidatingInterceptor validating = new RequestValidatingInterceptor();
        validating.setFailOnSeverity(ResultSeverityEnum.ERROR);
        validating.setValidatorModules(List.of(context.getBean(IInstanceValidatorModule.class)));
        server.registerInterceptor(validating);
        return server;
    }

    private static ServerConnector connector(Server server, String keys, String authority) throws Exception {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (InputStream file = new FileInputStream(authority)) {
            trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        SslContextFactory.Server tls = new SslContextFactory.Server();
        tls.setKeyStorePath(keys);
        tls.setKeyStorePassword(PASSWORD);
        tls.setTrustStore(trusted);
        tls.setNeedClientAuth(true);
        HttpConfiguration http = new HttpConfiguration();
        http.addCustomizer(new SecureRequestCustomizer(false));
        ServerConnector connector = new ServerConnector(
                server, new SslConnectionFactory(tls, "http/1.1"), new HttpConnectionFactory(http));
        connector.setHost("127.0.0.1");
        return connector;
    }

    public static void main(String[] words) throws Exception {
        AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext(Beans.class);
        Server server = new Server();
        ServerConnector connector = connector(server, words[0], words[1]);
        server.addConnector(connector);
        connector.open();
        String base = "https://127.0.0.1:" + connector.getLocalPort() + "/fhir";
        ServletContextHandler handler = new ServletContextHandler("/");
        handler.addServlet(new ServletHolder(fhirServer(context, base)), "/fhir/*");
        server.setHandler(handler);
        server.start();
        System.out.println("PORT " + connector.getLocalPort());
        System.out.flush();
        while (System.in.read() >= 0) {
            // until whoever started it is gone
        }
        System.exit(0);
    }
}
