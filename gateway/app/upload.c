#include "app/upload.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/pool.h"
#include "fhir/write.h"

struct upload {
    uint64_t lines;
    int file; /* -1: it could not be made */
    size_t bytes;
    void *mapped; /* of the reply; NULL before */
};

static void upload_free(struct exchange *exchange)
{
    struct upload *upload = exchange->user;
    if (upload->mapped != NULL)
        munmap(upload->mapped, upload->bytes);
    if (upload->file >= 0)
        close(upload->file);
    pool_free(upload);
    exchange->user = NULL;
}

uint64_t upload_begin_part(struct exchange *exchange, const char *folder)
{
    struct upload *upload = exchange->user;
    if (upload == NULL && exchange->goes_on) {
        upload = pool_new(sizeof *upload);
        upload->file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        exchange->user = upload;
        exchange->on_end = upload_free;
    }
    return upload != NULL ? upload->lines : 0;
}

static bool put_aside(struct upload *upload, struct slice results)
{
    while (upload->file >= 0 && results.len > 0) {
        ssize_t wrote = write(upload->file, results.at, results.len);
        if (wrote <= 0)
            return false;
        upload->bytes += (size_t)wrote;
        results = slice_skip(results, (size_t)wrote);
    }
    return upload->file >= 0;
}

static bool map_results(struct upload *upload, struct slice *out)
{
    *out = SLICE("");
    if (upload->bytes == 0)
        return true;
    void *at = mmap(NULL, upload->bytes, PROT_READ, MAP_PRIVATE, upload->file, 0);
    if (at == MAP_FAILED)
        return false;
    upload->mapped = at;
    *out = (struct slice){ at, upload->bytes };
    return true;
}

static void refuse(struct exchange *exchange, const struct upload *upload)
{
    struct err err;
    struct buffer body;
    err_fail(&err, ERR_STORAGE, "body", "results cannot be put aside");
    buffer_init(&body, 1 << 16);
    fhir_write_outcome(&err, &body);
    exchange->reply =
        (struct http_reply){ .status = err_http_status(err.code),
                             .body = arena_copy(exchange->arena, buffer_slice(&body)) };
    http_reply_header(&exchange->reply, "Content-Type",
                      SLICE("application/fhir+json; charset=utf-8"));
    http_reply_header(&exchange->reply, "X-Lines-Done",
                      arena_format(exchange->arena, "%llu", (unsigned long long)upload->lines));
    buffer_fini(&body);
}

void upload_end_part(struct exchange *exchange, const struct ingest_call *call)
{
    struct upload *upload = exchange->user;
    struct http_reply *reply = &exchange->reply;
    if (upload == NULL || reply->status >= 300)
        return;
    upload->lines += call->lines_done;
    if (!put_aside(upload, reply->body)) {
        refuse(exchange, upload);
    } else if (exchange->goes_on) {
        *reply = (struct http_reply){ .status = 0 };
    } else if (!map_results(upload, &reply->body)) {
        refuse(exchange, upload);
    }
}
