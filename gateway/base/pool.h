/* base/pool.h -- the only places that call malloc: arena blocks, connections, jobs, buffers.
 *
 * Owns      pool_take() hands the block to the caller, pool_give() takes it back; a block may be
 *           given back on another thread than the one that took it.
 * Errors    memory that the system cannot give is fatal (CHECK): we keep limits so that it does
 *           not come to that.
 * Thread    a small free list per thread, no locks.
 */
#pragma once

#include "base/check.h"

#define POOL_BLOCK_BYTES ((size_t)64 * 1024)

/* POOL_BLOCK_BYTES of uninitialised memory. */
void *pool_take(void) MUST_USE;
void pool_give(void *block);
/* Frees the calling thread's list; call before a thread ends. */
void pool_drain(void);

/* Zeroed memory of any size, for objects that outlive a request. */
void *pool_new(size_t size) MUST_USE;
void *pool_resize(void *memory, size_t size) MUST_USE;
void pool_free(void *memory);
