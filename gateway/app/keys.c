#include "app/keys.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "app/files.h"

static bool is_pem(const char *name)
{
    size_t len = strlen(name);
    return name[0] != '.' && len > 4 && len < 80 && strcmp(name + len - 4, ".pem") == 0;
}

static bool add(struct keys *keys, const char *folder, const char *name, struct err *err)
{
    char path[4096];
    struct stat found;
    struct slice pem;
    struct arena arena;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (keys->count == KEYS_MAX)
        return err_fail(err, ERR_TOO_LARGE, folder, "holds more than %d keys", KEYS_MAX);
    if (stat(path, &found) != 0)
        return err_fail(err, ERR_INVALID, path, "cannot be read");
    if ((found.st_mode & (S_IRWXG | S_IRWXO) & ~(mode_t)S_IRGRP) != 0)
        return err_fail(err, ERR_INVALID, path, "may be read or written by others: chmod 600");
    arena_init(&arena, 1 << 20);
    bool is_read = file_read(path, 1 << 16, &arena, &pem, err) &&
                   jose_key_read(pem, &keys->list[keys->count], err);
    arena_fini(&arena);
    if (!is_read)
        return err_fail(err, ERR_INVALID, path, "is no private key of RSA or P-384");
    snprintf(keys->names[keys->count], sizeof keys->names[0], "%s", name);
    keys->made_s[keys->count++] = (int64_t)found.st_mtim.tv_sec;
    return true;
}

static void put_in_order(struct keys *keys)
{
    for (unsigned i = 1; i < keys->count; i++)
        for (unsigned k = i; k > 0 && keys->made_s[k] < keys->made_s[k - 1]; k--) {
            struct jose_key *key = keys->list[k];
            int64_t made_s = keys->made_s[k];
            char name[sizeof keys->names[0]];
            memcpy(name, keys->names[k], sizeof name);
            keys->list[k] = keys->list[k - 1];
            keys->made_s[k] = keys->made_s[k - 1];
            memcpy(keys->names[k], keys->names[k - 1], sizeof name);
            keys->list[k - 1] = key;
            keys->made_s[k - 1] = made_s;
            memcpy(keys->names[k - 1], name, sizeof name);
        }
}

bool keys_open(const char *folder, struct keys *out, struct err *err)
{
    bool ok = true;
    out->count = 0;
    if (folder == NULL)
        return true;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return err_fail(err, ERR_INVALID, folder, "cannot be read");
    for (struct dirent *each = readdir(dir); ok && each != NULL; each = readdir(dir))
        ok = !is_pem(each->d_name) || add(out, folder, each->d_name, err);
    closedir(dir);
    if (!ok)
        keys_close(out);
    put_in_order(out);
    return ok;
}

void keys_close(struct keys *keys)
{
    for (unsigned i = 0; i < keys->count; i++)
        jose_key_free(keys->list[i]);
    keys->count = 0;
}

const struct jose_key *keys_signing(const struct keys *keys, enum jose_algorithm algorithm,
                                    int64_t now_s)
{
    const struct jose_key *chosen = NULL;
    for (unsigned i = 0; i < keys->count; i++) {
        bool fits = jose_key_algorithm(keys->list[i]) == algorithm;
        bool is_published = now_s - keys->made_s[i] >= KEYS_PUBLISH_SECONDS;
        if (fits && (chosen == NULL || is_published))
            chosen = keys->list[i];
    }
    return chosen;
}
