/* A store that holds one page, for tests of the binding; each macro is something that it does wrong. */
#include <stdlib.h>
#include <string.h>
#include "tmem.h"

#ifndef PAGE
#define PAGE 4096
#endif

struct tmem_store { int held; char page[PAGE]; };

tmem_store *tmem_open(const struct tmem_config *config) {
#ifdef OPENS_NOT
    return NULL;
#endif
    return config->page_size ? NULL : calloc(1, sizeof(tmem_store));
}
void tmem_close(tmem_store *s) {
    free(s);
}
int tmem_new_pool(tmem_store *s, uint16_t client, uint32_t flags, const uint64_t uuid[2]) {
    (void)s, (void)client;
#ifdef TELLS_UUID
    return uuid ? (int)(uuid[1] * 10 + uuid[0]) : 0;
#endif
    (void)uuid;
    return flags & TMEM_POOL_RESERVED ? -TMEM_EPERM : 0;
}
int tmem_destroy_pool(tmem_store *s, uint16_t client, int32_t pool) { (void)s, (void)client; return pool ? -TMEM_ENODEV : 1; }
int tmem_put(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index, const void *page) {
    (void)client, (void)pool, (void)index;
    memcpy(s->page, page, PAGE);
    s->held = 1;
#ifdef TELLS_OID
    return oid[2] == 3 && oid[1] == 2 && oid[0] == 1;
#endif
#ifdef WRITES_INTO_PUT
    ((char *)page)[PAGE / 2]++;
#endif
#ifdef WRITES_BEFORE_PUT
    ((char *)page)[-1]++;
#endif
#ifdef ANSWERS_TWO
    return 2;
#endif
    (void)oid;
    return 1;
}
int tmem_get(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index, void *page) {
    (void)client, (void)pool, (void)oid, (void)index;
#ifdef WRITES_ON_MISS
    memset(page, 0, 8);
#endif
    if (!s->held) return 0;
    memcpy(page, s->page, PAGE);
#ifdef WRITES_BEHIND_GET
    ((char *)page)[PAGE] = 0;
#endif
#ifdef WRITES_BEFORE_GET
    ((char *)page)[-64] = 0;
#endif
    return 1;
}
int tmem_flush_page(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index) {
    (void)client, (void)pool, (void)oid, (void)index;
    int held = s->held;
    s->held = 0;
    return held;
}
#ifndef NO_FLUSH_OBJECT
int tmem_flush_object(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3]) {
    return tmem_flush_page(s, client, pool, oid, 0);
}
#endif
#if PAGE != 4096
uint32_t tmem_page_size(tmem_store *s) { (void)s; return PAGE; }
#endif
#ifdef OFFERS
int64_t tmem_reclaim(tmem_store *s, uint32_t pages) { return pages && tmem_flush_page(s, 0, 0, NULL, 0); }
int64_t tmem_pool_flags(tmem_store *s, uint16_t client, int32_t pool) { (void)s, (void)client; return pool ? -TMEM_ENODEV : 1 << 24; }
const char *tmem_claims(void) { return "retain lru"; }
#endif
