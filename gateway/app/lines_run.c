/*   inputs -> [read]* -> gather, in order -> [derive and report]* -> output, in order
 *
 * Steps in brackets are tasks of the crew.  The owner keeps a window of each in flight, takes the
 * oldest and works itself while it waits. */
#include "app/lines_run.h"

#include <stdio.h>

#include "app/crew.h"
#include "app/inputs.h"
#include "app/offline.h"
#include "app/progress.h"
#include "app/tally_print.h"
#include "base/pool.h"
#include "therapy/difference.h"

#define DERIVE_BYTES_MAX ((size_t)1024 * 1024 * 1024)
#define REFUSAL_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct run {
    const struct lines_options *options;
    struct crew *crew;
    struct inputs *inputs;
    struct offline *offline;
    struct lines_output *output;
    struct arena codes;
    struct tally tally;
    struct progress *progress;
    unsigned window; /* tasks of a kind in flight */
    struct reading *readings;
    unsigned reading_first, reading_count;
    struct job *jobs;
    unsigned job_first, job_count;
    unsigned failed;
    uint64_t patients; /* written */
};

/* A text that is being read. */
struct reading {
    struct crew_task task;
    struct offline_chunk *chunk;
};

/* Patients that are being derived and reported. */
struct job {
    struct crew_task task;
    const struct run *run;
    struct offline_batch *batch;
    struct lines_piece piece;
    struct arena codes;
    struct tally tally; /* with --unmapped */
    struct buffer refusals;
    unsigned failed;
};

static void print_refused(void *ctx, const char *source, unsigned line, const struct err *err)
{
    const struct run *run = ctx;

    progress_hide(run->progress);
    if (line > 0)
        fprintf(stderr, "%s:%u: ", source, line);
    else
        fprintf(stderr, "%s: ", source);
    fprintf(stderr, "%s%s%s\n", err->where, err->where[0] != '\0' ? ": " : "", err->what);
}

static void print_err(const struct run *run, const struct err *err)
{
    progress_hide(run->progress);
    fprintf(stderr, "%s: %s\n", err->where, err->what);
}

/* --- derive ---------------------------------------------------------------------------------- */

/* --since: what changed from then to now; --compare: the other rule set on the right. */
static bool add_difference(struct job *job, const struct offline_patient *patient,
                           const struct therapy *now, struct arena *arena, struct err *err)
{
    const struct lines_options *options = job->run->options;
    struct buffer *out = &job->piece.bodies;
    struct therapy other;
    struct difference difference;
    bool is_compare = options->compare != NULL;

    if (!offline_derive(patient, options->mapping, is_compare ? options->compare : options->rules,
                        is_compare ? options->as_of : options->since, arena, &other, err))
        return false;
    difference_find(is_compare ? now : &other, is_compare ? &other : now, arena, &difference);
    if (arena_overflowed(arena))
        return err_fail(err, ERR_TOO_LARGE, "difference", "larger than memory's limit");
    if (options->format == LINES_JSON)
        difference_json(patient->name, &difference, out);
    else if (is_compare)
        difference_table(patient->name, &difference, out);
    else
        difference_text(patient->name, &difference, out);
    buffer_add_char(out, '\n');
    return true;
}

static bool report_patient(struct job *job, unsigned index, struct arena *arena, struct err *err)
{
    const struct lines_options *options = job->run->options;
    const struct offline_patient *patient = &job->batch->patients[index];
    struct therapy therapy;

    if (!offline_derive(patient, options->mapping, options->rules, options->as_of, arena, &therapy,
                        err))
        return false;
    if (options->unmapped) {
        for (unsigned i = 0; i < therapy.unmapped_count; i++)
            tally_add(&job->tally, therapy.unmapped[i]);
        return true;
    }
    if (options->compare != NULL || !date_is_none(options->since))
        return add_difference(job, patient, &therapy, arena, err);
    const struct lines_report report = { options->format,
                                         options->explain,
                                         { patient->name, &options->rules->digest },
                                         job->batch->first + index + 1 };
    lines_piece_add(&job->piece, &report, &therapy);
    return true;
}

static void run_job(struct crew_task *task)
{
    struct job *job = CONTAINER_OF(task, struct job, task);
    struct arena arena;

    arena_init(&arena, DERIVE_BYTES_MAX);
    for (unsigned i = 0; i < job->batch->count; i++) {
        struct err err;
        if (!report_patient(job, i, &arena, &err)) {
            job->failed++;
            buffer_format(&job->refusals, "%.*s: %s: %s\n",
                          SLICE_ARGS(job->batch->patients[i].name), err.where, err.what);
        }
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

static void show_progress(struct run *run, bool is_reading)
{
    struct progress_numbers numbers = { .what = is_reading ? "reading" : "deriving",
                                        .is_bytes = is_reading,
                                        .patients = is_reading ? run->patients : 0 };

    if (is_reading) {
        inputs_position(run->inputs, &numbers.done, &numbers.total);
    } else {
        numbers.done = run->patients;
        numbers.total = run->options->is_grouped ? 0 : offline_patient_count(run->offline);
    }
    progress_show(run->progress, &numbers);
}

/* The oldest job's reports go out. */
static void settle_job(struct run *run)
{
    struct job *job = &run->jobs[run->job_first];

    crew_wait(run->crew, &job->task);
    if (job->refusals.len > 0) {
        progress_hide(run->progress);
        fwrite(job->refusals.at, 1, job->refusals.len, stderr);
    }
    if (run->options->unmapped)
        tally_merge(&run->tally, &job->tally);
    else
        lines_output_put(run->output, &job->piece);
    run->failed += job->failed;
    run->patients += job->batch->count;
    lines_piece_fini(&job->piece);
    arena_fini(&job->codes);
    buffer_fini(&job->refusals);
    offline_batch_free(run->offline, job->batch);
    run->job_first = (run->job_first + 1) % run->window;
    run->job_count--;
}

static void start_jobs(struct run *run, bool is_reading)
{
    for (struct offline_batch *batch; (batch = offline_next(run->offline)) != NULL;) {
        if (run->job_count == run->window)
            settle_job(run);
        struct job *job = &run->jobs[(run->job_first + run->job_count++) % run->window];
        *job = (struct job){ .task = { .run = run_job }, .run = run, .batch = batch };
        lines_piece_init(&job->piece);
        arena_init(&job->codes, DERIVE_BYTES_MAX);
        tally_init(&job->tally, &job->codes);
        buffer_init(&job->refusals, REFUSAL_BYTES_MAX);
        crew_submit(run->crew, &job->task);
        show_progress(run, is_reading);
    }
}

/* --- read ------------------------------------------------------------------------------------ */

static void run_reading(struct crew_task *task)
{
    offline_read(CONTAINER_OF(task, struct reading, task)->chunk);
}

/* False: no text is left. */
static bool start_reading(struct run *run)
{
    struct input_piece piece;
    struct offline_chunk *chunk =
        offline_chunk_new(&(struct offline_source){ .line = 0 }, SLICE(""));

    if (!inputs_next(run->inputs, offline_chunk_buffer(chunk), &piece)) {
        offline_chunk_free(chunk);
        return false;
    }
    offline_chunk_source(chunk, &(struct offline_source){ piece.source, piece.file, piece.line });
    struct reading *reading =
        &run->readings[(run->reading_first + run->reading_count++) % run->window];
    *reading = (struct reading){ .task = { .run = run_reading }, .chunk = chunk };
    crew_submit(run->crew, &reading->task);
    return true;
}

static void settle_reading(struct run *run)
{
    struct reading *reading = &run->readings[run->reading_first];

    crew_wait(run->crew, &reading->task);
    offline_take(run->offline, reading->chunk);
    offline_chunk_free(reading->chunk);
    run->reading_first = (run->reading_first + 1) % run->window;
    run->reading_count--;
}

static void work(struct run *run)
{
    bool has_more = true;

    while (has_more || run->reading_count > 0) {
        while (has_more && run->reading_count < run->window)
            has_more = start_reading(run);
        if (run->reading_count > 0)
            settle_reading(run);
        start_jobs(run, true);
        show_progress(run, true);
    }
    offline_finish(run->offline);
    start_jobs(run, false);
    while (run->job_count > 0) {
        settle_job(run);
        show_progress(run, false);
    }
}

/* --- the whole ------------------------------------------------------------------------------- */

static void print_tally(struct run *run)
{
    enum tally_format format = run->options->format == LINES_JSON  ? TALLY_JSON
                               : run->options->format == LINES_CSV ? TALLY_CSV
                                                                   : TALLY_TEXT;
    struct buffer text;

    buffer_init(&text, REFUSAL_BYTES_MAX);
    tally_print(&run->tally, format, &text);
    lines_output_raw(run->output, buffer_slice(&text));
    buffer_fini(&text);
}

unsigned lines_run(const struct lines_options *options, char *const *files, unsigned file_count)
{
    struct run run = { .options = options };
    struct report_page page = { options->as_of, &options->rules->digest, { 0 } };
    enum lines_format format = options->unmapped ? LINES_TEXT : options->format;
    struct err err;

    run.progress = progress_open();
    if (!lines_output_open(options->output, format, &run.output, &err)) {
        print_err(&run, &err);
        progress_close(run.progress);
        return 1;
    }
    run.crew = crew_open(options->threads);
    run.window = crew_size(run.crew) * 2 + 2;
    run.readings = pool_new(run.window * sizeof run.readings[0]);
    run.jobs = pool_new(run.window * sizeof run.jobs[0]);
    run.inputs = inputs_open(files, file_count, print_refused, &run);
    run.offline =
        offline_open(&(struct offline_options){ options->is_grouped, print_refused, &run });
    arena_init(&run.codes, DERIVE_BYTES_MAX);
    tally_init(&run.tally, &run.codes);
    work(&run);
    if (options->unmapped)
        print_tally(&run);
    run.failed += offline_refused_count(run.offline) + inputs_refused_count(run.inputs);
    progress_hide(run.progress);
    if (!lines_output_close(run.output, &page, &err)) {
        print_err(&run, &err);
        run.failed++;
    }
    arena_fini(&run.codes);
    offline_close(run.offline);
    inputs_close(run.inputs);
    pool_free(run.readings);
    pool_free(run.jobs);
    crew_close(run.crew);
    progress_close(run.progress);
    return run.failed;
}
