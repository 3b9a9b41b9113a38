/*
 * Locks of fibers. Their state is kept beside them, by address; the kind of a mutex, the count of a semaphore
 * and whether a once is done are read where libc keeps them, so that static initialisers work. Waiters contend
 * when a lock is free: whoever is scheduled first gets it. While it is held, its waiters cannot be scheduled.
 */
#include "runtime.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SYNCS = 8192 };
static struct sync syncs[SYNCS];
static int used[SYNCS], uses;
static uint64_t tickets;

void tmem_reset_locks(void) {
    while (uses) memset(&syncs[used[--uses]], 0, sizeof *syncs);
    tickets = 0;
}

struct sync *tmem_sync(void *address) {
    size_t n = ((uintptr_t)address >> 2) * 0x9E3779B97F4A7C15u >> 51;
    while (syncs[n].address && syncs[n].address != address) n = (n + 1) % SYNCS;
    if (!syncs[n].address) {
        if (uses == SYNCS / 2) {
            tmem_say("more locks and atomics than the runtime has room for");
            tmem_crash();
        }
        syncs[n].address = address;
        used[uses++] = (int)n;
    }
    return &syncs[n];
}

/* What happened before the last release happened before this. */
void tmem_acquire(struct sync *s) {
    for (int n = 0; n < FIBERS; n++)
        if (s->clock[n] > me->clock[n]) me->clock[n] = s->clock[n];
}
void tmem_release(struct sync *s) {
    for (int n = 0; n < FIBERS; n++)
        if (me->clock[n] > s->clock[n]) s->clock[n] = me->clock[n];
    me->clock[me->index]++;
}
void tmem_atomic(void *address, int acquires, int releases) {
    struct sync *s = tmem_sync(address);
    if (acquires) tmem_acquire(s);
    if (releases) tmem_release(s);
}

static void tell_owner(struct sync *s) { tmem_words[OWNER] = s->owner - 1; }

/* Returns 0 when woken, or ETIMEDOUT after this number of nanoseconds. */
int tmem_wait(struct sync *s, int64_t timeout, void *pc) {
    struct fiber *f = me;
    s->waiters++;
    f->waits = s;
    f->since = ++tickets;
    tmem_words[TIMEOUT] = timeout;
    tell_owner(s);
    tmem_leave(BLOCK, s->address, 0, pc);
    f->waits = NULL;
    s->waiters--;
    return tmem_words[ANSWER] ? ETIMEDOUT : 0;
}

static int64_t waiting(struct sync *s, int most) {
    int64_t chosen = 0;
    while (most-- > 0) {
        struct fiber *first = NULL;
        for (int n = 0; n < FIBERS; n++) {
            struct fiber *f = &tmem_fibers[n];
            if (f->waits == s && !(chosen >> n & 1) && (!first || f->since < first->since)) first = f;
        }
        if (!first) break;
        chosen |= (int64_t)1 << first->index;
    }
    return chosen;
}

/* Wakes this number of waiting threads, in the order in which they came. */
void tmem_wake(struct sync *s, int most, void *pc) {
    if (s->waiters && most > 0) tmem_leave(WAKE, s->address, waiting(s, most), pc);
}

/* Takes a lock that is free; others who wait for it cannot go on now. */
static void taken(struct sync *s, int owner, void *pc) {
    s->owner = owner;
    tmem_acquire(s);
    tell_owner(s);
    if (tmem_words[TRACING]) tmem_leave(MARK, s->address, 1, pc);
    if (s->waiters) tmem_leave(HOLD, s->address, waiting(s, FIBERS), pc);
}
static void given_back(struct sync *s, void *pc) {
    s->owner = 0;
    tmem_release(s);
    if (tmem_words[TRACING]) tmem_leave(MARK, s->address, 0, pc);
    tmem_wake(s, FIBERS, pc);
    if (!tmem_words[ACCESSES]) tmem_lock_point(s->address, pc);
}

int64_t tmem_until(const struct timespec *at) {
    int64_t ns = at->tv_sec * 1000000000LL + at->tv_nsec;
    int64_t epoch = at->tv_sec >= 900000000 ? 1000000000LL * 1000000000LL : 0; /* of the real clock, or none */
    ns -= epoch + tmem_words[NOW];
    return ns > 0 ? ns : 0;
}

/* Mutexes */

static int kind_of(pthread_mutex_t *m) { return m->__data.__kind & 3; }

static int lock(pthread_mutex_t *m, int tries, int64_t timeout, void *pc) {
    tmem_lock_point(m, pc);
    struct sync *s = tmem_sync(m);
    int self = me->index + 1;
    if (s->owner == self && kind_of(m) == PTHREAD_MUTEX_RECURSIVE_NP) return s->count++, 0;
    if (s->owner == self && kind_of(m) == PTHREAD_MUTEX_ERRORCHECK_NP) return tries ? EBUSY : EDEADLK;
    while (s->owner) {
        if (tries) return EBUSY;
        if (tmem_wait(s, timeout, pc) && s->owner) return ETIMEDOUT;
    }
    taken(s, self, pc);
    return 0;
}
static int unlock(pthread_mutex_t *m, void *pc) {
    struct sync *s = tmem_sync(m);
    if (kind_of(m) == PTHREAD_MUTEX_RECURSIVE_NP && s->count) return s->count--, 0;
    if (kind_of(m) && s->owner != me->index + 1) return EPERM;
    given_back(s, pc);
    return 0;
}
int pthread_mutex_destroy(pthread_mutex_t *m) {
    if (!me) return REAL(int, "pthread_mutex_destroy", pthread_mutex_t *)(m);
    return tmem_sync(m)->owner ? EBUSY : 0;
}
int pthread_mutex_lock(pthread_mutex_t *m) { return me ? lock(m, 0, -1, PC) : REAL(int, "pthread_mutex_lock", pthread_mutex_t *)(m); }
int pthread_mutex_trylock(pthread_mutex_t *m) { return me ? lock(m, 1, -1, PC) : REAL(int, "pthread_mutex_trylock", pthread_mutex_t *)(m); }
int pthread_mutex_unlock(pthread_mutex_t *m) { return me ? unlock(m, PC) : REAL(int, "pthread_mutex_unlock", pthread_mutex_t *)(m); }
int pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *at) {
    return me ? lock(m, 0, tmem_until(at), PC) : REAL(int, "pthread_mutex_timedlock", pthread_mutex_t *, const struct timespec *)(m, at);
}
int pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock, const struct timespec *at) {
    return me ? lock(m, 0, tmem_until(at), PC) : REAL(int, "pthread_mutex_clocklock", pthread_mutex_t *, clockid_t, const struct timespec *)(m, clock, at);
}

/* Spinlocks */

static int spin(pthread_spinlock_t *l, int tries, void *pc) {
    tmem_lock_point((void *)l, pc);
    struct sync *s = tmem_sync((void *)l);
    while (s->owner) {
        if (tries) return EBUSY;
        tmem_wait(s, -1, pc);
    }
    taken(s, me->index + 1, pc);
    return 0;
}
int pthread_spin_lock(pthread_spinlock_t *l) { return me ? spin(l, 0, PC) : REAL(int, "pthread_spin_lock", pthread_spinlock_t *)(l); }
int pthread_spin_trylock(pthread_spinlock_t *l) { return me ? spin(l, 1, PC) : REAL(int, "pthread_spin_trylock", pthread_spinlock_t *)(l); }
int pthread_spin_unlock(pthread_spinlock_t *l) {
    if (!me) return REAL(int, "pthread_spin_unlock", pthread_spinlock_t *)(l);
    given_back(tmem_sync((void *)l), PC);
    return 0;
}

/* Read-write locks */

static int share(pthread_rwlock_t *l, int tries, int64_t timeout, void *pc) {
    tmem_lock_point(l, pc);
    struct sync *s = tmem_sync(l);
    while (s->owner) {
        if (tries) return EBUSY;
        if (tmem_wait(s, timeout, pc) && s->owner) return ETIMEDOUT;
    }
    s->readers++;
    tmem_acquire(s);
    if (tmem_words[TRACING]) tmem_leave(MARK, l, 1, pc);
    return 0;
}
static int exclude(pthread_rwlock_t *l, int tries, int64_t timeout, void *pc) {
    tmem_lock_point(l, pc);
    struct sync *s = tmem_sync(l);
    while (s->owner || s->readers) {
        if (tries) return EBUSY;
        if (tmem_wait(s, timeout, pc) && (s->owner || s->readers)) return ETIMEDOUT;
    }
    taken(s, me->index + 1, pc);
    return 0;
}
int pthread_rwlock_rdlock(pthread_rwlock_t *l) { return me ? share(l, 0, -1, PC) : REAL(int, "pthread_rwlock_rdlock", pthread_rwlock_t *)(l); }
int pthread_rwlock_tryrdlock(pthread_rwlock_t *l) { return me ? share(l, 1, -1, PC) : REAL(int, "pthread_rwlock_tryrdlock", pthread_rwlock_t *)(l); }
int pthread_rwlock_wrlock(pthread_rwlock_t *l) { return me ? exclude(l, 0, -1, PC) : REAL(int, "pthread_rwlock_wrlock", pthread_rwlock_t *)(l); }
int pthread_rwlock_trywrlock(pthread_rwlock_t *l) { return me ? exclude(l, 1, -1, PC) : REAL(int, "pthread_rwlock_trywrlock", pthread_rwlock_t *)(l); }
int pthread_rwlock_timedrdlock(pthread_rwlock_t *l, const struct timespec *at) {
    return me ? share(l, 0, tmem_until(at), PC) : REAL(int, "pthread_rwlock_timedrdlock", pthread_rwlock_t *, const struct timespec *)(l, at);
}
int pthread_rwlock_timedwrlock(pthread_rwlock_t *l, const struct timespec *at) {
    return me ? exclude(l, 0, tmem_until(at), PC) : REAL(int, "pthread_rwlock_timedwrlock", pthread_rwlock_t *, const struct timespec *)(l, at);
}
int pthread_rwlock_unlock(pthread_rwlock_t *l) {
    if (!me) return REAL(int, "pthread_rwlock_unlock", pthread_rwlock_t *)(l);
    struct sync *s = tmem_sync(l);
    if (s->readers) s->readers--;
    given_back(s, PC);
    return 0;
}

/* Condition variables: a signal that comes while nobody waits is lost. */

static int cond_wait(pthread_cond_t *c, pthread_mutex_t *m, int64_t timeout, void *pc) {
    struct sync *s = tmem_sync(c), *held = tmem_sync(m);
    int count = held->count;
    tmem_lock_point(c, pc);
    held->count = 0;
    held->owner = 0;
    tmem_release(held);
    if (tmem_words[TRACING]) tmem_leave(MARK, m, 0, pc);
    tmem_wake(held, FIBERS, pc);
    int came = tmem_wait(s, timeout, pc);
    if (!came) tmem_acquire(s);
    while (held->owner) tmem_wait(held, -1, pc);
    taken(held, me->index + 1, pc);
    held->count = count;
    return came;
}
static int notify(pthread_cond_t *c, int most, void *pc) {
    tmem_lock_point(c, pc);
    struct sync *s = tmem_sync(c);
    tmem_release(s);
    tmem_wake(s, most, pc);
    return 0;
}
int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m) { return me ? cond_wait(c, m, -1, PC) : REAL(int, "pthread_cond_wait", pthread_cond_t *, pthread_mutex_t *)(c, m); }
int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *at) {
    return me ? cond_wait(c, m, tmem_until(at), PC) : REAL(int, "pthread_cond_timedwait", pthread_cond_t *, pthread_mutex_t *, const struct timespec *)(c, m, at);
}
int pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock, const struct timespec *at) {
    return me ? cond_wait(c, m, tmem_until(at), PC) : REAL(int, "pthread_cond_clockwait", pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *)(c, m, clock, at);
}
int pthread_cond_signal(pthread_cond_t *c) { return me ? notify(c, 1, PC) : REAL(int, "pthread_cond_signal", pthread_cond_t *)(c); }
int pthread_cond_broadcast(pthread_cond_t *c) { return me ? notify(c, FIBERS, PC) : REAL(int, "pthread_cond_broadcast", pthread_cond_t *)(c); }
int pthread_cond_destroy(pthread_cond_t *c) { return me ? 0 : REAL(int, "pthread_cond_destroy", pthread_cond_t *)(c); }

/* Semaphores: libc keeps the count in the first word. */

static int sem_take(sem_t *sem, int tries, int64_t timeout, void *pc) {
    unsigned *count = (unsigned *)sem;
    tmem_lock_point(sem, pc);
    struct sync *s = tmem_sync(sem);
    while (!*count) {
        if (tries) return errno = EAGAIN, -1;
        if (tmem_wait(s, timeout, pc) && !*count) return errno = ETIMEDOUT, -1;
    }
    --*count;
    tmem_acquire(s);
    return 0;
}
int sem_wait(sem_t *sem) { return me ? sem_take(sem, 0, -1, PC) : REAL(int, "sem_wait", sem_t *)(sem); }
int sem_trywait(sem_t *sem) { return me ? sem_take(sem, 1, -1, PC) : REAL(int, "sem_trywait", sem_t *)(sem); }
int sem_timedwait(sem_t *sem, const struct timespec *at) {
    return me ? sem_take(sem, 0, tmem_until(at), PC) : REAL(int, "sem_timedwait", sem_t *, const struct timespec *)(sem, at);
}
int sem_post(sem_t *sem) {
    if (!me) return REAL(int, "sem_post", sem_t *)(sem);
    struct sync *s = tmem_sync(sem);
    ++*(unsigned *)sem;
    tmem_release(s);
    tmem_wake(s, FIBERS, PC);
    tmem_lock_point(sem, PC);
    return 0;
}

/* Once: 2 says that it is done, as in libc. */

int pthread_once(pthread_once_t *once, void (*routine)(void)) {
    if (!me) return REAL(int, "pthread_once", pthread_once_t *, void (*)(void))(once, routine);
    tmem_lock_point(once, PC);
    struct sync *s = tmem_sync(once);
    while (s->owner && *once != 2) tmem_wait(s, -1, PC);
    tmem_acquire(s);
    if (*once == 2) return 0;
    s->owner = me->index + 1;
    routine();
    *once = 2;
    s->owner = 0;
    tmem_release(s);
    tmem_wake(s, FIBERS, PC);
    return 0;
}

/* Barriers: libc keeps the number of parties in the third word. */

int pthread_barrier_wait(pthread_barrier_t *b) {
    if (!me) return REAL(int, "pthread_barrier_wait", pthread_barrier_t *)(b);
    tmem_lock_point(b, PC);
    struct sync *s = tmem_sync(b);
    int generation = s->generation;
    tmem_release(s);
    if (++s->count == (int)((unsigned *)b)[2]) {
        s->count = 0;
        s->generation++;
        tmem_acquire(s);
        tmem_wake(s, FIBERS, PC);
        return PTHREAD_BARRIER_SERIAL_THREAD;
    }
    while (s->generation == generation) tmem_wait(s, -1, PC);
    tmem_acquire(s);
    return 0;
}

/* Futexes */

static long futex(uint32_t *word, int operation, uint32_t value, const struct timespec *timeout, void *pc) {
    struct sync *s = tmem_sync(word);
    int command = operation & FUTEX_CMD_MASK, came;
    switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        tmem_lock_point(word, pc);
        if (*word != value) return errno = EAGAIN, -1;
        int64_t ns = -1;
        if (timeout) ns = command == FUTEX_WAIT ? timeout->tv_sec * 1000000000LL + timeout->tv_nsec : tmem_until(timeout);
        came = tmem_wait(s, ns, pc);
        return came ? (errno = came, -1) : 0;
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET: {
        tmem_lock_point(word, pc);
        int woken = __builtin_popcountll((unsigned long long)waiting(s, value > FIBERS ? FIBERS : (int)value));
        tmem_wake(s, woken, pc);
        return woken;
    }
    default:
        return errno = ENOSYS, -1;
    }
}

static uint64_t random_state = 1;
static ssize_t random_bytes(uint8_t *to, size_t size) {
    for (size_t n = 0; n < size; n++) to[n] = (uint8_t)((random_state = random_state * 6364136223846793005u + 1) >> 56);
    return (ssize_t)size;
}
ssize_t getrandom(void *to, size_t size, unsigned flags) {
    if (!me) return REAL(ssize_t, "getrandom", void *, size_t, unsigned)(to, size, flags);
    random_state = 1;
    return random_bytes(to, size);
}

long syscall(long number, ...) {
    va_list rest;
    va_start(rest, number);
    long a[6];
    for (int n = 0; n < 6; n++) a[n] = va_arg(rest, long);
    va_end(rest);
    if (me && number == SYS_futex) return futex((uint32_t *)a[0], (int)a[1], (uint32_t)a[2], (const struct timespec *)a[3], PC);
    if (me && number == SYS_getrandom) return getrandom((void *)a[0], (size_t)a[1], (unsigned)a[2]);
    if (me && number == SYS_gettid) return me->index + 1;
    return REAL(long, "syscall", long, ...)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
