#include "app/crew.h"

#include <pthread.h>
#include <sched.h>

#include "base/pool.h"

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t has_work, has_done;
    struct crew_task *first, **last; /* waiting to be run, in order of submission */
    pthread_t threads[CREW_MAX];
    unsigned thread_count;
    bool is_closing;
};

static struct crew_task *take(struct crew *crew)
{
    struct crew_task *task = crew->first;
    if (task == NULL)
        return NULL;
    crew->first = task->next;
    if (crew->first == NULL)
        crew->last = &crew->first;
    return task;
}

/* With the lock held, and held again afterwards. */
static void run(struct crew *crew, struct crew_task *task)
{
    pthread_mutex_unlock(&crew->lock);
    task->run(task);
    pthread_mutex_lock(&crew->lock);
    task->is_done = true;
    pthread_cond_signal(&crew->has_done); /* only the owner waits */
}

static void *work(void *argument)
{
    struct crew *crew = argument;

    pthread_mutex_lock(&crew->lock);
    while (!crew->is_closing) {
        struct crew_task *task = take(crew);
        if (task != NULL)
            run(crew, task);
        else
            pthread_cond_wait(&crew->has_work, &crew->lock);
    }
    pthread_mutex_unlock(&crew->lock);
    pool_drain();
    return NULL;
}

static unsigned processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? (unsigned)count : 1;
}

struct crew *crew_open(unsigned size)
{
    struct crew *crew = pool_new(sizeof *crew);

    if (size == 0)
        size = processors();
    if (size > CREW_MAX)
        size = CREW_MAX;
    CHECK(pthread_mutex_init(&crew->lock, NULL) == 0);
    CHECK(pthread_cond_init(&crew->has_work, NULL) == 0);
    CHECK(pthread_cond_init(&crew->has_done, NULL) == 0);
    crew->last = &crew->first;
    while (crew->thread_count + 1 < size &&
           pthread_create(&crew->threads[crew->thread_count], NULL, work, crew) == 0)
        crew->thread_count++;
    return crew;
}

unsigned crew_size(const struct crew *crew) { return crew->thread_count + 1; }

void crew_submit(struct crew *crew, struct crew_task *task)
{
    task->next = NULL;
    task->is_done = false;
    pthread_mutex_lock(&crew->lock);
    *crew->last = task;
    crew->last = &task->next;
    pthread_cond_signal(&crew->has_work);
    pthread_mutex_unlock(&crew->lock);
}

void crew_wait(struct crew *crew, struct crew_task *task)
{
    pthread_mutex_lock(&crew->lock);
    while (!task->is_done) {
        struct crew_task *other = take(crew);
        if (other != NULL)
            run(crew, other);
        else
            pthread_cond_wait(&crew->has_done, &crew->lock);
    }
    pthread_mutex_unlock(&crew->lock);
}

void crew_close(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    CHECK(crew->first == NULL);
    crew->is_closing = true;
    pthread_cond_broadcast(&crew->has_work);
    pthread_mutex_unlock(&crew->lock);
    for (unsigned i = 0; i < crew->thread_count; i++)
        pthread_join(crew->threads[i], NULL);
    pthread_cond_destroy(&crew->has_done);
    pthread_cond_destroy(&crew->has_work);
    pthread_mutex_destroy(&crew->lock);
    pool_free(crew);
}
