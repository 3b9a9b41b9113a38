/* A naive store: a list of pages under one lock. Its pools are private, ephemeral or persistent. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "tmem.h"
enum { PAGE = 4096, POOLS = 64 };
struct page { struct page *next; int pool; uint32_t index; uint64_t oid[3]; char bytes[PAGE]; };
struct pool { int live, persistent, client; };
struct tmem_store { pthread_mutex_t lock; struct pool pools[POOLS]; struct page *pages; uint64_t count, most; };
#define HANDLE tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index

static int locked(tmem_store *s, int client, int pool) { /* takes the lock, and answers whether the pool is there */
    pthread_mutex_lock(&s->lock);
    return pool >= 0 && pool < POOLS && s->pools[pool].live && s->pools[pool].client == client;
}
static int unlocked(tmem_store *s, int answer) { pthread_mutex_unlock(&s->lock); return answer; }
static int drop(tmem_store *s, int pool, const uint64_t *oid, int64_t index) { /* NULL and -1 stand for all */
    int found = 0;
    for (struct page **at = &s->pages, *p; (p = *at);)
        if (p->pool == pool && (!oid || !memcmp(p->oid, oid, 24)) && (index < 0 || p->index == index)) {
            *at = p->next; free(p); s->count--; found = 1;
        } else at = &p->next;
    return found;
}
tmem_store *tmem_open(const struct tmem_config *config) {
    tmem_store *s = calloc(1, sizeof *s);
    s->most = config->budget ? config->budget / PAGE : UINT64_MAX;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}
void tmem_close(tmem_store *s) { for (int id = 0; id < POOLS; id++) drop(s, id, NULL, -1); free(s); }
int tmem_new_pool(tmem_store *s, uint16_t client, uint32_t flags, const uint64_t uuid[2]) {
    int id = 0;
    if (flags & ~(TMEM_POOL_PERSIST | 1u << TMEM_POOL_VERSION_SHIFT)) return -TMEM_EPERM;
    for (locked(s, client, 0); id < POOLS && s->pools[id].live;) id++;
    if (id < POOLS) s->pools[id] = (struct pool){1, flags & TMEM_POOL_PERSIST, client};
    return unlocked(s, id < POOLS ? id : -TMEM_ENOMEM);
}
#define FIND_POOL if (!locked(s, client, pool)) return unlocked(s, -TMEM_ENODEV)
int tmem_destroy_pool(tmem_store *s, uint16_t client, int32_t pool) {
    FIND_POOL; drop(s, pool, NULL, -1); s->pools[pool].live = 0; return unlocked(s, 1);
}
int tmem_put(HANDLE, const void *page) {
    FIND_POOL; drop(s, pool, oid, index);
    struct page *p = s->count < s->most ? malloc(sizeof *p) : NULL;
    if (!p) return unlocked(s, 0);
    p->next = s->pages; p->pool = pool; p->index = index; memcpy(p->oid, oid, 24); memcpy(p->bytes, page, PAGE);
    s->pages = p; s->count++; return unlocked(s, 1);
}
int tmem_get(HANDLE, void *page) {
    FIND_POOL; struct page *p = s->pages;
    while (p && (p->pool != pool || p->index != index || memcmp(p->oid, oid, 24))) p = p->next;
    if (FAULT) unlocked(s, 0); /* make fault: the page is found with the lock, and copied without */
    if (p) memcpy(page, p->bytes, PAGE);
    if (FAULT) locked(s, client, pool);
    if (p && !s->pools[pool].persistent) drop(s, pool, oid, index);
    return unlocked(s, p != NULL);
}
int tmem_flush_page(HANDLE) { FIND_POOL; return unlocked(s, drop(s, pool, oid, index)); }
int tmem_flush_object(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3]) { FIND_POOL; return unlocked(s, drop(s, pool, oid, -1)); }
