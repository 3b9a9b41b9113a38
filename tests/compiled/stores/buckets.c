/*
 * A store with a lock for each bucket of a hash table, a lock for the pools, and page frames from a free list
 * without a lock. It is right; RACE is the number of a race that is seeded into it:
 *   1 get looks without the lock          6 reclaim frees a page that it found before
 *   2 flush object looks without it       7 a duplicate put copies without the lock
 *   3 get finds, then takes               8 flush object takes two locks in the other order
 *   4 put looks, then inserts             9 a put that waits for a frame misses its wake-up
 *   5 flush page frees twice             10 the free list takes a frame that was away and came back (ABA)
 * ENDS is a signal, 6 or 11, that ends the process in some puts. With OVERRUNS a put writes behind its page.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tmem.h"

#ifndef RACE
#define RACE 0
#endif
enum { PAGE = 4096, POOLS = 16, BUCKETS = 4, FRAMES = 8 };

struct page { struct page *next; int pool; uint32_t index; uint64_t oid[3]; char *bytes; };
struct pool { int live, persistent, client; };
struct frame { _Atomic(uint32_t) next; };

struct tmem_store {
    pthread_mutex_t pools_lock;
    struct pool pools[POOLS];                  /* changed with all locks held, read with any */
    pthread_mutex_t locks[BUCKETS];
    struct page *buckets[BUCKETS];
    _Atomic(uint64_t) head;                    /* of the free list: frame + 1, and a count against ABA above it */
    struct frame frames[FRAMES];
    char memory[FRAMES][PAGE];
    uint64_t most;
    _Atomic(uint64_t) count;
    pthread_mutex_t growth_lock;
    pthread_cond_t grown;
    int growing;
};

static int bucket_of(int pool, const uint64_t *oid) { return (int)((pool + oid[0] + oid[1] * 3 + oid[2] * 5) % BUCKETS); }

/* Frames: a stack without a lock. Where it is empty, memory comes from malloc. */

static char *take_frame(tmem_store *s) {
    uint64_t head = atomic_load(&s->head), to;
    do {
        uint32_t frame = (uint32_t)head;
        if (!frame) return malloc(PAGE);
        uint64_t count = RACE == 10 ? 0 : (head >> 32) + 1;
        to = count << 32 | atomic_load(&s->frames[frame - 1].next);
    } while (!atomic_compare_exchange_weak(&s->head, &head, to));
    return s->memory[(uint32_t)head - 1];
}
static void give_frame(tmem_store *s, char *bytes) {
    if (bytes < s->memory[0] || bytes >= s->memory[FRAMES]) {
        free(bytes);
        return;
    }
    uint32_t frame = (uint32_t)((bytes - s->memory[0]) / PAGE);
    uint64_t head = atomic_load(&s->head), to;
    do {
        atomic_store(&s->frames[frame].next, (uint32_t)head);
        uint64_t count = RACE == 10 ? 0 : (head >> 32) + 1;
        to = count << 32 | (frame + 1);
    } while (!atomic_compare_exchange_weak(&s->head, &head, to));
}

/* One thread at a time makes a page; the others wait for it. */

static struct page *new_page(tmem_store *s) {
    pthread_mutex_lock(&s->growth_lock);
    while (s->growing) {
#if RACE == 9
        pthread_mutex_unlock(&s->growth_lock); /* the signal may come here */
        pthread_mutex_lock(&s->growth_lock);
#endif
        pthread_cond_wait(&s->grown, &s->growth_lock);
    }
    s->growing = 1;
    pthread_mutex_unlock(&s->growth_lock);
    struct page *p = calloc(1, sizeof *p);
    pthread_mutex_lock(&s->growth_lock);
    s->growing = 0;
    pthread_cond_signal(&s->grown);
    pthread_mutex_unlock(&s->growth_lock);
    p->bytes = take_frame(s);
    return p;
}
static void free_page(tmem_store *s, struct page *p) {
    give_frame(s, p->bytes);
    free(p);
}

tmem_store *tmem_open(const struct tmem_config *config) {
    tmem_store *s = calloc(1, sizeof *s);
    pthread_mutex_init(&s->pools_lock, NULL);
    pthread_mutex_init(&s->growth_lock, NULL);
    pthread_cond_init(&s->grown, NULL);
    for (int n = 0; n < BUCKETS; n++) pthread_mutex_init(&s->locks[n], NULL);
    for (int n = 0; n < FRAMES; n++) give_frame(s, s->memory[n]);
    s->most = config->budget ? config->budget / PAGE : UINT64_MAX;
    return s;
}

static int live(tmem_store *s, int client, int pool) {
    return pool >= 0 && pool < POOLS && s->pools[pool].live && s->pools[pool].client == client;
}
static struct page **find(tmem_store *s, int bucket, int pool, const uint64_t *oid, uint32_t index) {
    struct page **at = &s->buckets[bucket];
    while (*at && ((*at)->pool != pool || (*at)->index != index || memcmp((*at)->oid, oid, 24))) at = &(*at)->next;
    return at;
}
static int remove_at(tmem_store *s, struct page **at) {
    struct page *p = *at;
    if (!p) return 0;
    *at = p->next;
    s->count--;
    free_page(s, p);
    return 1;
}
static int drop_all(tmem_store *s, int bucket, int pool, const uint64_t *oid) {
    int found = 0;
    for (struct page **at = &s->buckets[bucket]; *at;) {
        if ((*at)->pool == pool && (!oid || !memcmp((*at)->oid, oid, 24))) found = remove_at(s, at);
        else at = &(*at)->next;
    }
    return found;
}

static void lock_all(tmem_store *s) {
    pthread_mutex_lock(&s->pools_lock);
    for (int n = 0; n < BUCKETS; n++) pthread_mutex_lock(&s->locks[n]);
}
static void unlock_all(tmem_store *s) {
    for (int n = BUCKETS; n-- > 0;) pthread_mutex_unlock(&s->locks[n]);
    pthread_mutex_unlock(&s->pools_lock);
}

void tmem_close(tmem_store *s) {
    for (int n = 0; n < BUCKETS; n++)
        while (remove_at(s, &s->buckets[n])) {}
    free(s);
}
int tmem_new_pool(tmem_store *s, uint16_t client, uint32_t flags, const uint64_t uuid[2]) {
    int id = -TMEM_ENOMEM;
    (void)uuid;
    if (flags & ~(TMEM_POOL_PERSIST | 1u << TMEM_POOL_VERSION_SHIFT)) return -TMEM_EPERM;
    lock_all(s);
    for (int n = POOLS; n-- > 0;)
        if (!s->pools[n].live) id = n;
    if (id >= 0) s->pools[id] = (struct pool){1, flags & TMEM_POOL_PERSIST, client};
    unlock_all(s);
    return id;
}
int tmem_destroy_pool(tmem_store *s, uint16_t client, int32_t pool) {
    lock_all(s);
    int found = live(s, client, pool);
    for (int n = 0; found && n < BUCKETS; n++) drop_all(s, n, pool, NULL);
    if (found) s->pools[pool].live = 0;
    unlock_all(s);
    return found ? 1 : -TMEM_ENODEV;
}

/* Every operation on a page takes the lock of its bucket, and answers -ENODEV where there is no such pool. */
#define ENTER                                        \
    int bucket = bucket_of(pool, oid);               \
    pthread_mutex_lock(&s->locks[bucket]);           \
    if (!live(s, client, pool)) LEAVE(-TMEM_ENODEV)
#define LEAVE(answer)                                \
    do {                                             \
        int answered = answer;                       \
        pthread_mutex_unlock(&s->locks[bucket]);     \
        return answered;                             \
    } while (0)

int tmem_put(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index, const void *page) {
#ifdef ENDS
    if (oid[2]) fputs("an object id beyond 128 bits\n", stderr), ENDS == 6 ? abort() : (void)(*(volatile int *)8 = 0);
#endif
    ENTER;
#if RACE == 7
    struct page *old = *find(s, bucket, pool, oid, index);
    if (old) {
        pthread_mutex_unlock(&s->locks[bucket]);
        memcpy(old->bytes, page, PAGE);
        return 1;
    }
#endif
    remove_at(s, find(s, bucket, pool, oid, index));
    if (s->count >= s->most) LEAVE(0);
#if RACE == 4
    pthread_mutex_unlock(&s->locks[bucket]);
#endif
    struct page *p = new_page(s);
    p->pool = pool;
    p->index = index;
    memcpy(p->oid, oid, 24);
    memcpy(p->bytes, page, PAGE);
#ifdef OVERRUNS
    ((volatile char *)p->bytes)[PAGE] = 0;
#endif
#if RACE == 4
    pthread_mutex_lock(&s->locks[bucket]);
#endif
    p->next = s->buckets[bucket];
    s->buckets[bucket] = p;
    s->count++;
    LEAVE(1);
}
int tmem_get(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index, void *page) {
#if RACE == 1
    struct page *seen = *find(s, bucket_of(pool, oid), pool, oid, index);
    if (seen && live(s, client, pool) && s->pools[pool].persistent) return memcpy(page, seen->bytes, PAGE), 1;
#endif
    ENTER;
    struct page *p = *find(s, bucket, pool, oid, index);
    if (!p) LEAVE(0);
#if RACE == 3
    pthread_mutex_unlock(&s->locks[bucket]);
    memcpy(page, p->bytes, PAGE);
    pthread_mutex_lock(&s->locks[bucket]);
#else
    memcpy(page, p->bytes, PAGE);
#endif
    if (!s->pools[pool].persistent) remove_at(s, find(s, bucket, pool, oid, index));
    LEAVE(1);
}
int tmem_flush_page(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index) {
    ENTER;
#if RACE == 5
    struct page *p = *find(s, bucket, pool, oid, index);
    pthread_mutex_unlock(&s->locks[bucket]);
    pthread_mutex_lock(&s->locks[bucket]);
    struct page **at = find(s, bucket, pool, oid, index);
    if (*at) *at = (*at)->next, s->count--;
    if (p) free_page(s, p);
    LEAVE(p != NULL);
#endif
    LEAVE(remove_at(s, find(s, bucket, pool, oid, index)));
}
int tmem_flush_object(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3]) {
#if RACE == 2
    return live(s, client, pool) ? drop_all(s, bucket_of(pool, oid), pool, oid) : -TMEM_ENODEV;
#elif RACE == 8
    ENTER;
    pthread_mutex_lock(&s->pools_lock);
    int found = drop_all(s, bucket, pool, oid);
    pthread_mutex_unlock(&s->pools_lock);
    LEAVE(found);
#else
    ENTER;
    LEAVE(drop_all(s, bucket, pool, oid));
#endif
}
int64_t tmem_reclaim(tmem_store *s, uint32_t pages) {
    int64_t gone = 0;
    for (int n = 0; n < BUCKETS && gone < pages; n++) {
        pthread_mutex_lock(&s->locks[n]);
        struct page **at = &s->buckets[n];
        while (*at && s->pools[(*at)->pool].persistent) at = &(*at)->next;
#if RACE == 6
        struct page *p = *at;
        pthread_mutex_unlock(&s->locks[n]);
        pthread_mutex_lock(&s->locks[n]);
        if (p) gone += remove_at(s, find(s, n, p->pool, p->oid, p->index));
#else
        gone += remove_at(s, at);
#endif
        pthread_mutex_unlock(&s->locks[n]);
    }
    return gone;
}
