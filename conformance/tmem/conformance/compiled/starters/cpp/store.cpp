// A naive store: a map of pages under one lock. Its pools are private, ephemeral or persistent.
#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <tuple>
#include "tmem.h"

constexpr size_t PAGE = 4096;
using Oid = std::array<uint64_t, 3>;
using Page = std::array<char, PAGE>;
using Guard = std::unique_lock<std::mutex>;
struct Pool { uint16_t client; bool persistent; };
struct tmem_store {
    std::mutex lock;
    std::map<int, Pool> pools;
    std::map<std::tuple<int, Oid, uint32_t>, Page> pages;
    size_t most = SIZE_MAX;

    bool live(int client, int pool) const { auto found = pools.find(pool); return found != pools.end() && found->second.client == client; }
    bool drop(int pool, const Oid &from, uint32_t first, const Oid &to, uint32_t last) {
        auto begin = pages.lower_bound({pool, from, first}), end = pages.upper_bound({pool, to, last});
        bool found = begin != end;
        return pages.erase(begin, end), found;
    }
};
static Oid name(const uint64_t oid[3]) { return {oid[0], oid[1], oid[2]}; }

tmem_store *tmem_open(const tmem_config *config) {
    auto s = new tmem_store;
    if (config->budget) s->most = config->budget / PAGE;
    return s;
}
void tmem_close(tmem_store *s) { delete s; }
int tmem_new_pool(tmem_store *s, uint16_t client, uint32_t flags, const uint64_t *) {
    if (flags & ~(TMEM_POOL_PERSIST | 1u << TMEM_POOL_VERSION_SHIFT)) return -TMEM_EPERM;
    Guard guard(s->lock);
    int id = s->pools.empty() ? 0 : s->pools.rbegin()->first + 1;
    s->pools[id] = {client, (flags & TMEM_POOL_PERSIST) != 0};
    return id;
}
#define POOL Guard guard(s->lock); if (!s->live(client, pool)) return -TMEM_ENODEV
int tmem_destroy_pool(tmem_store *s, uint16_t client, int32_t pool) { POOL; s->drop(pool, {}, 0, {UINT64_MAX, UINT64_MAX, UINT64_MAX}, UINT32_MAX); return s->pools.erase(pool); }
int tmem_put(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index, const void *page) {
    POOL; s->drop(pool, name(oid), index, name(oid), index);
    if (s->pages.size() >= s->most) return 0;
    return std::memcpy(s->pages[{pool, name(oid), index}].data(), page, PAGE), 1;
}
int tmem_get(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index, void *page) {
    POOL; auto found = s->pages.find({pool, name(oid), index});
    if (found == s->pages.end()) return 0;
    if (FAULT) guard.unlock();  // make fault: the page is found with the lock, and copied without
    std::memcpy(page, found->second.data(), PAGE);
    if (FAULT) guard.lock();
    return s->pools[pool].persistent || s->drop(pool, name(oid), index, name(oid), index), 1;
}
int tmem_flush_page(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index) { POOL; return s->drop(pool, name(oid), index, name(oid), index); }
int tmem_flush_object(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3]) { POOL; return s->drop(pool, name(oid), 0, name(oid), UINT32_MAX); }
