// A store in C++: a map of pages under a mutex, and a turnstile of one page at a time with a condition variable. It is
// right; RACE is the number of a race that is seeded into it:
//   1 get looks without the lock     8 flush object takes two locks in the other order
//   3 get finds, then copies         9 a put that waits for its turn misses the wake-up
//   7 a duplicate put copies without the lock
#include <array>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>
#include "tmem.h"

#ifndef RACE
#define RACE 0
#endif
constexpr size_t PAGE = 4096;
using Oid = std::array<uint64_t, 3>;
using Page = std::array<char, PAGE>;
using Guard = std::unique_lock<std::mutex>;
struct Pool { uint16_t client; bool persistent; };
struct tmem_store {
    std::mutex lock, turnstile;
    std::condition_variable passed;
    bool passing = false;
    std::map<int, Pool> pools;
    std::map<std::tuple<int, Oid, uint32_t>, Page> pages;

    bool live(int client, int pool) const {
        auto found = pools.find(pool);
        return found != pools.end() && found->second.client == client;
    }
    bool drop(int pool, const Oid &oid, uint32_t first, uint32_t last) {
        auto begin = pages.lower_bound({pool, oid, first}), end = pages.upper_bound({pool, oid, last});
        bool found = begin != end;
        pages.erase(begin, end);
        return found;
    }
    void pass() {
        Guard guard(turnstile);
        while (passing) {
            if (RACE == 9) {
                guard.unlock();
                std::this_thread::yield(); // the wake-up may come here
                guard.lock();
            }
            passed.wait(guard);
        }
        passing = true;
        guard.unlock();
        guard.lock();
        passing = false;
        passed.notify_one();
    }
};
static Oid name(const uint64_t oid[3]) { return {oid[0], oid[1], oid[2]}; }

tmem_store *tmem_open(const tmem_config *) { return new tmem_store; }
void tmem_close(tmem_store *s) { delete s; }
int tmem_new_pool(tmem_store *s, uint16_t client, uint32_t flags, const uint64_t *) {
    if (flags & ~(TMEM_POOL_PERSIST | 1u << TMEM_POOL_VERSION_SHIFT)) return -TMEM_EPERM;
    Guard guard(s->lock);
    int id = s->pools.empty() ? 0 : s->pools.rbegin()->first + 1;
    s->pools[id] = {client, (flags & TMEM_POOL_PERSIST) != 0};
    return id;
}
#define POOL                                     \
    Guard guard(s->lock);                        \
    if (!s->live(client, pool)) return -TMEM_ENODEV
int tmem_destroy_pool(tmem_store *s, uint16_t client, int32_t pool) {
    POOL;
    for (auto at = s->pages.begin(); at != s->pages.end();)
        at = std::get<0>(at->first) == pool ? s->pages.erase(at) : std::next(at);
    return static_cast<int>(s->pools.erase(pool));
}
int tmem_put(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index, const void *page) {
    s->pass();
    POOL;
    Page &to = s->pages[{pool, name(oid), index}];
    if (RACE == 7) guard.unlock();
    std::memcpy(to.data(), page, PAGE);
    return 1;
}
int tmem_get(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index, void *page) {
    if (RACE == 1) {
        auto seen = s->pages.find({pool, name(oid), index});
        if (seen == s->pages.end()) return 0;
    }
    POOL;
    auto found = s->pages.find({pool, name(oid), index});
    if (found == s->pages.end()) return 0;
    if (RACE == 3) guard.unlock();
    std::memcpy(page, found->second.data(), PAGE);
    if (RACE == 3) guard.lock();
    if (!s->pools[pool].persistent) s->drop(pool, name(oid), index, index);
    return 1;
}
int tmem_flush_page(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index) {
    if (RACE == 8) {
        Guard turn(s->turnstile);
        POOL;
        return s->drop(pool, name(oid), index, index);
    }
    POOL;
    return s->drop(pool, name(oid), index, index);
}
int tmem_flush_object(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3]) {
    POOL;
    if (RACE == 8) Guard turn(s->turnstile);
    return s->drop(pool, name(oid), 0, UINT32_MAX);
}
