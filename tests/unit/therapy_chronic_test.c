/* Antiretroviral therapy and renal replacement: the last day of every limit, viral loads as
 * laboratories write them, and what holds for any patient.  What the rules mean is told in
 * tests/golden/therapy/hiv.md and renal.md. */
#include "support/therapy/story_case.h"
#include "therapy/report.h"

#define HIV "@B20 2015-01-01; "
#define TLE "efavirenz + lamivudine + tenofovir disoproxil "
#define TLD "dolutegravir + lamivudine + tenofovir disoproxil "
#define ATV "atazanavir + lamivudine + tenofovir disoproxil 2020-07-01..open"
#define ONE(drugs) "1 2016-01-01..open " drugs " FIRST_ART\n"
#define STAYS ONE("atazanavir+dolutegravir+lamivudine+tenofovir disoproxil")
#define FAILS                                                                           \
    "1 2016-01-01..2020-06-30 dolutegravir+lamivudine+tenofovir disoproxil FIRST_ART\n" \
    "2 2020-07-01..open atazanavir+lamivudine+tenofovir disoproxil FAILURE_EVIDENCE\n"
#define TLD_THEN(loads) HIV TLD "2016-01-01..2020-06-30; " loads ATV
#define ESRD "@N18.6 2019-01-01; "

static const struct story_case rows[] = {
    { "HIV-005 28 days are a regimen", HIV TLD "2020-01-01..2020-01-29", "2020-06-01",
      "1 2020-01-01..2020-01-29 dolutegravir+lamivudine+tenofovir disoproxil FIRST_ART\n", NULL,
      NULL },
    { "HIV-005 27 days are none", HIV TLD "2020-01-01..2020-01-28", "2020-06-01", "", NULL, NULL },
    { "HIV-005 what has just been ordered and goes on is one", HIV TLD "2020-05-30..open",
      "2020-06-01", "1 2020-05-30..open dolutegravir+lamivudine+tenofovir disoproxil FIRST_ART\n",
      NULL, NULL },
    { "HIV-005 one drug is none, even an anchor", HIV "dolutegravir 2020-01-01..open", "2020-06-01",
      "", NULL, NULL },
    { "HIV-005 two drugs with an anchor are one", HIV "dolutegravir + lamivudine 2020-01-01..open",
      "2020-06-01", "1 2020-01-01..open dolutegravir+lamivudine FIRST_ART\n", NULL, NULL },
    { "HIV-005 a booster is no drug of a regimen", HIV "darunavir + ritonavir 2020-01-01..open",
      "2020-06-01", "", NULL, NULL },
    { "HIV-005 drugs that start some days apart begin with the first",
      HIV "lamivudine + tenofovir disoproxil 2020-01-01..open; dolutegravir 2020-01-15..open",
      "2020-06-01", "1 2020-01-01..open dolutegravir+lamivudine+tenofovir disoproxil FIRST_ART\n",
      NULL, NULL },
    { "HIV-005 tenofovir of years before is not the beginning",
      HIV "tenofovir disoproxil 2018-01-01..open; dolutegravir + lamivudine 2020-01-15..open",
      "2020-06-01", "1 2020-01-15..open dolutegravir+lamivudine+tenofovir disoproxil FIRST_ART\n",
      NULL, NULL },
    { "a fixed combination is its ingredients",
      HIV "efavirenz / lamivudine / tenofovir disoproxil 2016-01-01..open", "2016-06-01",
      ONE("efavirenz+lamivudine+tenofovir disoproxil"), NULL, NULL },
    { "one order a month is one regimen", HIV TLD "2016-01-01 x6/28 no-end supply:28", "2016-05-30",
      ONE("dolutegravir+lamivudine+tenofovir disoproxil"), NULL, NULL },
    { "injections every two months are one regimen",
      HIV "cabotegravir + rilpivirine 2016-01-01 x6/60 no-end supply:60", "2016-06-01",
      ONE("cabotegravir+rilpivirine"), NULL, NULL },
    { "an order entered in error is none", HIV TLD "2016-01-01..2020-06-30 error", "2020-06-01", "",
      NULL, NULL },
    { "a refuted HIV is none", "@B20 2015-01-01 refuted; " TLD "2016-01-01..open", "2020-06-01", "",
      NULL, NULL },
    { "asymptomatic infection is HIV", "@Z21 2015-01-01; " TLD "2016-01-01..open", "2016-06-01",
      ONE("dolutegravir+lamivudine+tenofovir disoproxil"), NULL, NULL },
    { "the reason of an order names HIV too", TLD "2016-01-01..open code:B20", "2016-06-01",
      ONE("dolutegravir+lamivudine+tenofovir disoproxil"), NULL, NULL },
    { "contact with HIV is no HIV", "@Z20.6 2015-01-01; " TLD "2016-01-01..open", "2016-06-01", "",
      NULL, NULL },
    { "treatment before the diagnosis was recorded counts", HIV TLD "2012-01-01..open",
      "2015-06-01", "1 2012-01-01..open dolutegravir+lamivudine+tenofovir disoproxil FIRST_ART\n",
      NULL, NULL },

    { "HIV-008 1001 and 1001 copies after 182 days, 60 days apart",
      TLD_THEN("#vl 2020-03-01 1001; #vl 2020-04-30 1001; "), "2020-09-01", FAILS, NULL, NULL },
    { "HIV-008 60 days apart are about three months",
      TLD_THEN("#vl 2020-03-01 1001; #vl 2020-04-30 1001; "), "2020-09-01", FAILS, NULL,
      "no NONE line 2 viraemic HIV-029 HIV-008" },
    { "HIV-008 59 days are too near: only DHHS counts them",
      TLD_THEN("#vl 2020-03-02 1001; #vl 2020-04-30 1001; "), "2020-09-01", FAILS, NULL,
      "no NONE line 2 viraemic HIV-029 HIV-009" },
    { "HIV-008 one of 1000 with an NNRTI is not above 1000",
      HIV TLE "2020-01-01..2020-07-31; #vl 2020-07-01 1000; dolutegravir + lamivudine + zidovudine "
              "2020-08-01..open",
      "2020-10-01",
      "1 2020-01-01..open dolutegravir+efavirenz+lamivudine+tenofovir disoproxil+zidovudine "
      "FIRST_ART\n",
      NULL, NULL },
    { "HIV-009 168 days after the line began count",
      HIV TLD "2020-01-01..2020-07-31; #vl 2020-06-17 300; #vl 2020-07-20 300; atazanavir + "
              "lamivudine + tenofovir disoproxil 2020-08-01..open",
      "2020-10-01", NULL, NULL, "no NONE line 2 viraemic HIV-029 HIV-009" },
    { "HIV-009 167 days do not",
      HIV TLD "2020-01-01..2020-07-31; #vl 2020-06-16 300; #vl 2020-07-20 300; atazanavir + "
              "lamivudine + tenofovir disoproxil 2020-08-01..open",
      "2020-10-01", NULL, NULL, "no NONE line 1 viraemic" },
    { "HIV-008 1000 copies are not above 1000, but 200 or more (HIV-009)",
      TLD_THEN("#vl 2020-03-01 1000; #vl 2020-04-30 1000; "), "2020-09-01", FAILS, NULL, NULL },
    { "HIV-009 199 copies are not 200", TLD_THEN("#vl 2020-03-01 199; #vl 2020-04-30 200; "),
      "2020-09-01", STAYS, NULL, NULL },
    { "HIV-009 200 and 200", TLD_THEN("#vl 2020-03-01 200; #vl 2020-04-30 200; "), "2020-09-01",
      FAILS, NULL, NULL },
    { "HIV-009 with one below between them there is no pair",
      TLD_THEN("#vl 2020-03-01 300; #vl 2020-04-01 <50; #vl 2020-04-30 300; "), "2020-09-01", STAYS,
      NULL, NULL },
    { "HIV-009 two results of one day are one",
      TLD_THEN("#vl 2020-03-01 300; #vl 2020-03-01 310; "), "2020-09-01", STAYS, NULL, NULL },
    { "a result entered in error is none",
      TLD_THEN("#vl 2020-03-01 300; #vl 2020-04-30 300 error; "), "2020-09-01", STAYS, NULL, NULL },
    { "logarithms: 2.31 is 204 copies", TLD_THEN("#log 2020-03-01 2.31; #log 2020-04-30 2.31; "),
      "2020-09-01", FAILS, NULL, NULL },
    { "logarithms: 2.29 is 194 copies", TLD_THEN("#log 2020-03-01 2.29; #log 2020-04-30 2.29; "),
      "2020-09-01", STAYS, NULL, NULL },
    { "logarithms: 6.5 is three millions", TLD_THEN("#log 2020-03-01 6.5; #log 2020-04-30 6.5; "),
      "2020-09-01", FAILS, NULL, NULL },
    { "below 839 may be below 200: no failure, and no suppression",
      TLD_THEN("#vl 2020-03-01 <839; #vl 2020-04-30 <839; "), "2020-09-01", STAYS, NULL,
      "no NONE line 1 unknown" },
    { "above what the assay can count is failure",
      TLD_THEN("#vl 2020-03-01 >10000000; #vl 2020-04-30 >10000000; "), "2020-09-01", FAILS, NULL,
      "no NONE line 2 viraemic" },
    { "not detected is suppressed", TLD_THEN("#vl 2020-04-30 not-detected; "), "2020-09-01", STAYS,
      NULL, "no NONE line 1 suppressed" },
    { "HIV-008 182 days after the line began count, with an NNRTI",
      HIV TLE "2020-01-01..2020-07-31; #vl 2020-07-01 1001; dolutegravir + lamivudine + zidovudine "
              "2020-08-01..open",
      "2020-10-01",
      "1 2020-01-01..2020-07-31 efavirenz+lamivudine+tenofovir disoproxil FIRST_ART\n"
      "2 2020-08-01..open dolutegravir+lamivudine+zidovudine FAILURE_EVIDENCE\n",
      NULL, NULL },
    { "HIV-008 181 days do not",
      HIV TLE "2020-01-01..2020-07-31; #vl 2020-06-30 1001; dolutegravir + lamivudine + zidovudine "
              "2020-08-01..open",
      "2020-10-01",
      "1 2020-01-01..open dolutegravir+efavirenz+lamivudine+tenofovir disoproxil+zidovudine "
      "FIRST_ART\n",
      NULL, NULL },
    { "HIV-007 a code 30 days after the change explains it",
      HIV TLE "2016-01-01..2020-06-30; @HIV.D.DE228 2020-07-31; " TLD "2020-07-01..open",
      "2020-10-01",
      "1 2016-01-01..2020-06-30 efavirenz+lamivudine+tenofovir disoproxil FIRST_ART\n"
      "2 2020-07-01..open dolutegravir+lamivudine+tenofovir disoproxil FAILURE_EVIDENCE\n",
      NULL, NULL },
    { "HIV-007 one 31 days after it does not, and is told (HIV-028)",
      HIV TLE "2016-01-01..2020-06-30; @HIV.D.DE228 2020-08-01; " TLD "2020-07-01..open",
      "2020-10-01", ONE("dolutegravir+efavirenz+lamivudine+tenofovir disoproxil"), NULL,
      "no LOW line 1" },
    { "HIV-007 evidence that explained one change does not explain the next",
      HIV TLE "2016-01-01..2020-06-30; @HIV.D.DE228 2020-07-20; " TLD
              "2020-07-01..2021-06-30; bictegravir + emtricitabine + tenofovir alafenamide "
              "2021-07-01..open",
      "2021-10-01",
      "1 2016-01-01..2020-06-30 efavirenz+lamivudine+tenofovir disoproxil FIRST_ART\n"
      "2 2020-07-01..open bictegravir+dolutegravir+emtricitabine+lamivudine+tenofovir "
      "alafenamide+tenofovir disoproxil FAILURE_EVIDENCE\n",
      NULL, NULL },
    { "HIV-018 usual twice-daily drugs say nothing",
      HIV "raltegravir 2016-01-01..open bid; lamivudine + zidovudine 2016-01-01..open bid",
      "2016-06-01", ONE("lamivudine+raltegravir+zidovudine"), NULL, "no NONE line 1" },
    { "HIV-018 a dose that becomes one against resistance is a change",
      HIV "darunavir + ritonavir + lamivudine + tenofovir disoproxil 2016-01-01..2019-12-31; "
          "darunavir 2020-01-01..open bid; ritonavir + lamivudine + tenofovir disoproxil "
          "2020-01-01..open",
      "2020-06-01",
      "1 2016-01-01..2019-12-31 darunavir+lamivudine+tenofovir disoproxil FIRST_ART\n"
      "3 2020-01-01..open darunavir+lamivudine+tenofovir disoproxil SALVAGE_SIGNAL\n",
      NULL, "salvage MEDIUM line 3" },
    { "HIV-018 dolutegravir twice a day with efavirenz is the dose with an inducer",
      HIV "dolutegravir 2016-01-01..open bid; efavirenz + lamivudine 2016-01-01..open",
      "2016-06-01", ONE("dolutegravir+efavirenz+lamivudine"), NULL, "no NONE line 1" },
    { "HIV-018 42 weeks after the record of a pregnancy the dose speaks again",
      HIV "@Z33.1 2016-01-01; darunavir 2017-01-01..open bid; ritonavir + lamivudine + tenofovir "
          "disoproxil 2017-01-01..open",
      "2017-06-01", NULL, NULL, "salvage MEDIUM line 3" },
    { "HIV-018 294 days after it, it does not yet",
      HIV "@Z33.1 2016-01-01; darunavir 2016-10-21..open bid; ritonavir + lamivudine + tenofovir "
          "disoproxil 2016-10-21..open",
      "2017-02-01", NULL, NULL, "no NONE line 1" },
    { "HIV-018 295 days after it, it does",
      HIV "@Z33.1 2016-01-01; darunavir 2016-10-22..open bid; ritonavir + lamivudine + tenofovir "
          "disoproxil 2016-10-22..open",
      "2017-02-01", NULL, NULL, "salvage MEDIUM line 3" },
    { "HIV-018 less than two doses a day say nothing",
      HIV "darunavir 2016-10-22..open doses:1999; ritonavir + lamivudine + tenofovir disoproxil "
          "2016-10-22..open",
      "2017-02-01", NULL, NULL, "no NONE line 1" },
    { "HIV-003 31 days are prophylaxis", HIV TLD "2014-01-01..2014-02-01; " TLD "2016-01-01..open",
      "2016-06-01", ONE("dolutegravir+lamivudine+tenofovir disoproxil"), NULL, NULL },
    { "HIV-003 32 days are treatment", HIV TLD "2014-01-01..2014-02-02; " TLD "2016-01-01..open",
      "2016-06-01", "1 2014-01-01..open dolutegravir+lamivudine+tenofovir disoproxil FIRST_ART\n",
      NULL, NULL },
    { "HIV-023 leftovers of 90 days",
      HIV "lopinavir + ritonavir 2019-12-01..2020-09-29; lamivudine "
          "+ tenofovir disoproxil 2019-12-01..open; dolutegravir 2020-07-01..open",
      "2020-11-01",
      "1 2019-12-01..open dolutegravir+lamivudine+lopinavir+tenofovir disoproxil FIRST_ART\n", NULL,
      "no NONE line 1" },
    { "HIV-023 91 days are no leftovers: two anchors",
      HIV
      "lopinavir + ritonavir "
      "2019-12-01..2020-09-30; lamivudine + tenofovir disoproxil 2019-12-01..open; dolutegravir "
      "2020-07-01..open",
      "2020-11-01", NULL, NULL, "salvage MEDIUM line 3" },
    { "SAL-015 a line that begins in a month is LOW",
      HIV "darunavir + dolutegravir + ritonavir + lamivudine 2020-03..open", "2020-06-01", NULL,
      NULL, "salvage LOW line 3" },
    { "SAL-016 what was only reported is one grade lower",
      HIV "darunavir + dolutegravir + ritonavir + lamivudine 2020-03-01..open reported",
      "2020-06-01", NULL, NULL, "salvage LOW line 3" },
    { "SAL-016 an open order that nobody renewed for a year, too",
      HIV "darunavir + dolutegravir + ritonavir + lamivudine 2020-03-01..open", "2021-03-02", NULL,
      NULL, "salvage LOW line 3" },

    { "RRT-002 a code of dependence is dialysis", ESRD "@Z99.2 2019-03-01", "2020-01-01",
      "1 2019-03-01..open  DIALYSIS\n", NULL, NULL },
    { "RRT-002 fitting a catheter is not yet", ESRD "@Z49.02 2019-03-01", "2020-01-01", "", NULL,
      NULL },
    { "RRT-002 a Procedure entered in error is none", ESRD "!hd 2019-03-01 error", "2020-01-01", "",
      NULL, NULL },
    { "RRT-009 30 days are one operation", ESRD "!kidney 2019-03-01; !kidney 2019-03-31",
      "2020-01-01", "1 2019-03-01..open  PREEMPTIVE_TRANSPLANT\n", NULL, NULL },
    { "RRT-009 31 days are two", ESRD "!kidney 2019-03-01; !kidney 2019-04-01", "2020-01-01",
      "1 2019-03-01..2019-03-31  PREEMPTIVE_TRANSPLANT\n2 2019-04-01..open  RETRANSPLANT\n", NULL,
      "salvage MEDIUM line 2" },
    { "RRT-010 29 days are no technique failure",
      ESRD "!pd 2019-03-01; !hd 2019-06-01..2019-06-30; !pd 2019-07-05", "2020-01-01", NULL, "",
      NULL },
    { "RRT-010 30 days are one", ESRD "!pd 2019-03-01; !hd 2019-06-01..2019-07-01; !pd 2019-07-05",
      "2020-01-01", NULL, "RRT-010", NULL },
    { "RRT-011 179 days are a note", ESRD "!pd 2019-03-01; !hd 2019-06-01..2019-11-27",
      "2020-01-01", "1 2019-03-01..open  DIALYSIS\n", "RRT-010", NULL },
    { "RRT-011 180 days are a line", ESRD "!pd 2019-03-01; !hd 2019-06-01..2019-11-28",
      "2020-01-01", "1 2019-03-01..2019-05-31  DIALYSIS\n2 2019-06-01..open  PD_TO_HD_180\n", "",
      "salvage MEDIUM line 2" },
    { "RRT-011 a transplant after it is one after failure",
      ESRD "!pd 2019-03-01; !hd 2019-06-01..2020-05-28; !kidney 2020-06-01", "2021-01-01", NULL,
      NULL, "salvage HIGH line 3" },
    { "RRT-013 90 days after the transplant the graft is slow",
      ESRD "!kidney 2019-03-01; !hd 2019-05-30..2019-07-30", "2020-01-01",
      "1 2019-03-01..open  PREEMPTIVE_TRANSPLANT\n", NULL, NULL },
    { "RRT-013 91 days after it, it has failed",
      ESRD "!kidney 2019-03-01; !hd 2019-05-31..2019-07-30", "2020-01-01",
      "1 2019-03-01..2019-05-30  PREEMPTIVE_TRANSPLANT\n2 2019-05-31..open  GRAFT_FAILURE\n", NULL,
      NULL },
    { "RRT-014 29 days of dialysis are an injury of the graft",
      ESRD "!kidney 2019-03-01; !hd 2020-01-01..2020-01-30", "2020-06-01",
      "1 2019-03-01..open  PREEMPTIVE_TRANSPLANT\n", NULL, NULL },
    { "RRT-014 30 days are its end", ESRD "!kidney 2019-03-01; !hd 2020-01-01..2020-01-31",
      "2020-06-01",
      "1 2019-03-01..2019-12-31  PREEMPTIVE_TRANSPLANT\n2 2020-01-01..open  GRAFT_FAILURE\n", NULL,
      NULL },
    { "RRT-014 a code carried along after the transplant is no dialysis",
      ESRD "!hd 2018-03-01; !kidney 2019-03-01; @Z99.2 2020-01-01; @Z99.2 2020-06-01", "2021-01-01",
      "1 2018-03-01..2019-02-28  DIALYSIS\n2 2019-03-01..open  KIDNEY_TRANSPLANT\n", NULL, NULL },
    { "RRT-005 the code that follows confirms what dialysis told",
      ESRD "!kidney 2019-03-01; !hd 2020-01-01..2020-03-31; @T86.12 2020-01-15; !kidney 2021-01-01",
      "2021-06-01", NULL, NULL, "salvage HIGH line 3" },
    { "RRT-007 induction up to 14 days after the code dates the transplant",
      ESRD "@Z94.0 2019-03-01; antithymocyte globulin 2019-03-15", "2020-01-01",
      "1 2019-03-15..open antithymocyte immunoglobulin (rabbit) PREEMPTIVE_TRANSPLANT\n", "RRT-007",
      NULL },
    { "RRT-007 15 days after it, it treats a rejection",
      ESRD "@Z94.0 2019-03-01; antithymocyte globulin 2019-03-16", "2020-01-01",
      "1 2019-03-01..open antithymocyte immunoglobulin (rabbit) PREEMPTIVE_TRANSPLANT\n", "RRT-008",
      NULL },
    { "RRT-016 sirolimus keeps a graft where no cancer lists it",
      ESRD "!kidney 2019-03-01; sirolimus 2019-03-01..open", "2020-01-01",
      "1 2019-03-01..open sirolimus PREEMPTIVE_TRANSPLANT\n", NULL, NULL },
};

/* --- any patient ----------------------------------------------------------------------------- */

static uint64_t seed = 11;

static unsigned below(unsigned limit)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % limit;
}

#define PICK(words) words[below(COUNT_OF(words))]

static void tell_random(struct story *story)
{
    static const char *const codes[] = { "B20",         "B20",         "N18.6",  "Z21",
                                         "Z99.2",       "Z94.0",       "T86.12", "T82.41XA",
                                         "HIV.D.DE228", "HIV.D.DE226", "C83.30", "Z33.1",
                                         "B18.1" };
    static const char *const drugs[] = { "dolutegravir",
                                         "efavirenz",
                                         "lamivudine",
                                         "lamivudine",
                                         "zidovudine",
                                         "tenofovir disoproxil",
                                         "tenofovir disoproxil",
                                         "lopinavir",
                                         "ritonavir",
                                         "darunavir",
                                         "raltegravir",
                                         "etravirine",
                                         "cabotegravir",
                                         "rifampicin",
                                         "tacrolimus",
                                         "basiliximab",
                                         "antithymocyte globulin",
                                         "icodextrin",
                                         "rituximab" };
    static const char *const words[] = { "",
                                         "",
                                         "",
                                         "bid",
                                         "toxicity",
                                         "stopped failure",
                                         "stopped toxicity",
                                         "new-drug",
                                         "reported",
                                         "error",
                                         "stopped",
                                         "change:HIV.D.DE423",
                                         "why:HIV.D.DE433" };
    static const char *const procedures[] = { "hd", "pd", "dialysis", "kidney" };
    static const char *const loads[] = { "<50", "120", "350", "1500", "90000", "not-detected" };
    char text[200];
    for (unsigned left = 3 + below(40); left > 0; left--) {
        unsigned year = 2012 + below(8), month = 1 + below(12), day = 1 + below(28);
        switch (below(8)) {
        case 0:
            snprintf(text, sizeof text, "@%s %u-%02u-%02u", PICK(codes), year, month, day);
            break;
        case 1:
            snprintf(text, sizeof text, "!%s %u-%02u-%02u x%u/%u", PICK(procedures), year, month,
                     day, 1 + below(4), 1 + below(60));
            break;
        case 2:
            snprintf(text, sizeof text, "#vl %u-%02u-%02u %s", year, month, day, PICK(loads));
            break;
        default:
            snprintf(text, sizeof text, "%s %u-%02u-%02u..%u-%02u-%02u %s", PICK(drugs), year,
                     month, day, year + 1 + below(3), month, day, PICK(words));
        }
        story_tell(story, text);
    }
}

static void check_boundary(const struct boundary *boundary)
{
    assert_non_null(boundary->reason);
    assert_true(boundary->evidence_count > 0 && boundary->evidence_count <= LOT_EVIDENCE_MAX);
}

static void check_line(const struct history *history, unsigned at, struct date as_of)
{
    const struct line *line = &history->lines[at];
    assert_true(line->start.day <= line->end.day && line->end.day <= as_of.day);
    assert_true(line->number_min <= line->number);
    assert_true(line->number_max == 0 || line->number_max >= line->number);
    assert_true(line->regimen.len > 0);
    check_boundary(&line->opened_by);
    for (unsigned i = 0; i < line->note_count; i++)
        assert_non_null(line->notes[i].why.reason);
    assert_true(line->segment_count > 0);
    for (unsigned i = 0; i < line->segment_count; i++) {
        assert_true(line->segments[i].start.day <= line->segments[i].end.day);
        if (i > 0)
            assert_true(line->segments[i - 1].end.day < line->segments[i].start.day);
    }
    if (at == 0)
        return;
    const struct line *before = &history->lines[at - 1];
    assert_true(before->start.day <= line->start.day && before->number < line->number);
    assert_false(before->is_open);
    assert_string_not_equal(before->id, line->id);
}

static unsigned check_history(const struct history *history, struct date as_of)
{
    enum disease_family family = history->disease->family;
    if (family != DISEASE_HIV && family != DISEASE_RENAL)
        return 0;
    for (unsigned i = 0; i < history->line_count; i++)
        check_line(history, i, as_of);
    const struct verdict *verdict = &history->verdict;
    if (history->line_count > 0)
        assert_int_equal(verdict->line, history->lines[history->line_count - 1].number);
    assert_true(verdict->salvage ? verdict->grade >= GRADE_LOW : verdict->grade <= GRADE_LOW);
    assert_true(!verdict->salvage || verdict->veto_count == 0);
    return history->line_count;
}

static void write_answer(struct story *story, struct buffer *out, unsigned *lines)
{
    struct sha256 digest = { { 0 } };
    struct report_head head = { SLICE("Patient/p"), &digest };
    const struct therapy *therapy = story_derive(story, "2020-06-01");
    for (unsigned k = 0; k < therapy->history_count; k++)
        *lines += check_history(&therapy->histories[k], therapy->as_of);
    report_json(&head, therapy, out);
    report_text(&head, therapy, true, out);
    assert_false(buffer_overflowed(out));
}

/* RULES_SPEC 11.1: the order of arrival does not show. */
static void shuffle(struct story *story)
{
    for (size_t i = story->count; i > 1; i--) {
        size_t k = below((unsigned)i);
        struct event swap = story->events[i - 1];
        story->events[i - 1] = story->events[k];
        story->events[k] = swap;
    }
}

static void any_patient_keeps_the_promises(void **state)
{
    unsigned lines = 0;
    (void)state;
    for (int i = 0; i < 1500; i++) {
        struct story story;
        struct buffer first, again;
        unsigned ignored = 0;
        story_begin(&story);
        buffer_init(&first, 1 << 22);
        buffer_init(&again, 1 << 22);
        tell_random(&story);
        write_answer(&story, &first, &lines);
        shuffle(&story);
        write_answer(&story, &again, &ignored);
        if (!slice_eq(buffer_slice(&first), buffer_slice(&again)))
            fail_msg("patient %d: the order of arrival shows:\n%.*s\n%.*s", i, (int)first.len,
                     first.at, (int)again.len, again.at);
        buffer_fini(&first);
        buffer_fini(&again);
        story_end(&story);
    }
    print_message("%u lines\n", lines);
    assert_true(lines > 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(any_patient_keeps_the_promises) };
    int failed = story_run("therapy_chronic", rows, COUNT_OF(rows));
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
