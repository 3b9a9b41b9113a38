/* No store: reclaim(n) tries what the runtime has to offer. It answers 0, or the line where something is wrong. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include "tmem.h"

struct tmem_store { int unused; };
#define WRONG_IF(condition) do { if (condition) return __LINE__; } while (0)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local int own = 7;
static _Atomic(int) flag;
static int counter, ready;

static struct timespec in_a_second(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec++;
    return at;
}
static void *counts(void *unused) {
    for (int n = 0; n < 3; n++) {
        pthread_mutex_lock(&mutex);
        int seen = counter;
        sched_yield();
        counter = seen + 1;
        pthread_mutex_unlock(&mutex);
    }
    return unused;
}
static int mutexes(void) {
    pthread_t threads[3];
    for (int n = 0; n < 3; n++) WRONG_IF(pthread_create(&threads[n], NULL, counts, (void *)(long)n));
    for (int n = 0; n < 3; n++) {
        void *answer;
        WRONG_IF(pthread_join(threads[n], &answer) || (long)answer != n);
    }
    WRONG_IF(counter != 9);
    WRONG_IF(pthread_mutex_lock(&recursive) || pthread_mutex_lock(&recursive));
    WRONG_IF(pthread_mutex_unlock(&recursive) || pthread_mutex_unlock(&recursive));
    WRONG_IF(pthread_mutex_unlock(&recursive) != EPERM);
    WRONG_IF(pthread_mutex_lock(&checked) || pthread_mutex_lock(&checked) != EDEADLK);
    WRONG_IF(pthread_mutex_unlock(&checked) || pthread_mutex_unlock(&checked) != EPERM);
    return 0;
}
static void *holds(void *seconds) {
    pthread_mutex_lock(&mutex);
    ready = 1;
    sleep((unsigned)(long)seconds);
    pthread_mutex_unlock(&mutex);
    return NULL;
}
static int times(void) {
    pthread_t thread;
    time_t begun = time(NULL);
    WRONG_IF(pthread_create(&thread, NULL, holds, (void *)3600));
    while (!ready) usleep(10);
    struct timespec at = in_a_second();
    WRONG_IF(pthread_mutex_trylock(&mutex) != EBUSY);
    WRONG_IF(pthread_mutex_timedlock(&mutex, &at) != ETIMEDOUT);
    pthread_join(thread, NULL);
    WRONG_IF(time(NULL) - begun < 3600);
    WRONG_IF(pthread_mutex_lock(&mutex));
    at = in_a_second();
    WRONG_IF(pthread_cond_timedwait(&cond, &mutex, &at) != ETIMEDOUT);
    WRONG_IF(pthread_mutex_unlock(&mutex));
    return 0;
}
static void *signals(void *unused) {
    pthread_mutex_lock(&mutex);
    ready++;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
    return unused;
}
static int conditions(void) {
    pthread_t threads[2];
    pthread_mutex_lock(&mutex);
    for (int n = 0; n < 2; n++) pthread_create(&threads[n], NULL, signals, NULL);
    while (ready < 2) WRONG_IF(pthread_cond_wait(&cond, &mutex));
    pthread_mutex_unlock(&mutex);
    return 0;
}
static void *writes(void *unused) {
    pthread_rwlock_wrlock(&rwlock);
    counter++;
    pthread_rwlock_unlock(&rwlock);
    return unused;
}
static int rwlocks(void) {
    pthread_t thread;
    WRONG_IF(pthread_rwlock_rdlock(&rwlock) || pthread_rwlock_tryrdlock(&rwlock));
    WRONG_IF(pthread_rwlock_trywrlock(&rwlock) != EBUSY);
    pthread_create(&thread, NULL, writes, NULL);
    sleep(1);
    WRONG_IF(counter);
    WRONG_IF(pthread_rwlock_unlock(&rwlock) || pthread_rwlock_unlock(&rwlock));
    pthread_join(thread, NULL);
    WRONG_IF(counter != 1);
    return 0;
}
static void *spins(void *unused) {
    while (!atomic_load(&flag)) {}
    return unused;
}
static int spinning(void) {
    pthread_t thread;
    pthread_spinlock_t spin;
    pthread_create(&thread, NULL, spins, NULL);
    sleep(1);
    atomic_store(&flag, 1);
    pthread_join(thread, NULL);
    pthread_spin_init(&spin, 0);
    WRONG_IF(pthread_spin_lock(&spin) || pthread_spin_trylock(&spin) != EBUSY || pthread_spin_unlock(&spin));
    return 0;
}
static void makes(void) { counter++; }
static void *posts(void *sem) {
    pthread_once(&once, makes);
    sem_post(sem);
    return NULL;
}
static int semaphores(void) {
    pthread_t threads[2];
    sem_t sem;
    sem_init(&sem, 0, 1);
    WRONG_IF(sem_wait(&sem) || sem_trywait(&sem) != -1 || errno != EAGAIN);
    for (int n = 0; n < 2; n++) pthread_create(&threads[n], NULL, posts, &sem);
    WRONG_IF(sem_wait(&sem) || sem_wait(&sem));
    WRONG_IF(counter != 1);
    return 0;
}
static void *changes(void *key) {
    if (own != 7 || pthread_getspecific(*(pthread_key_t *)key)) return (void *)1;
    own = 8;
    errno = 99;
    pthread_setspecific(*(pthread_key_t *)key, key);
    sched_yield();
    return (void *)(long)(own != 8 || errno != 99);
}
static int storage(void) {
    pthread_t threads[2];
    pthread_key_t key;
    pthread_key_create(&key, NULL);
    errno = 5;
    for (int n = 0; n < 2; n++) pthread_create(&threads[n], NULL, changes, &key);
    for (int n = 0; n < 2; n++) {
        void *wrong;
        pthread_join(threads[n], &wrong);
        WRONG_IF(wrong);
    }
    WRONG_IF(own != 7 || errno != 5 || pthread_getspecific(key));
    WRONG_IF(pthread_equal(threads[0], threads[1]) || pthread_equal(pthread_self(), threads[0]));
    return 0;
}
static int answers(void *given) { return *(int *)given + 1; }
static int c11(void) {
    thrd_t thread;
    mtx_t m;
    cnd_t c;
    int given = 41, answer = 0; /* on this stack, read by the other thread */
    WRONG_IF(mtx_init(&m, mtx_plain) != thrd_success || cnd_init(&c) != thrd_success);
    WRONG_IF(mtx_lock(&m) != thrd_success || mtx_trylock(&m) != thrd_busy || mtx_unlock(&m) != thrd_success);
    WRONG_IF(cnd_signal(&c) != thrd_success);
    WRONG_IF(thrd_create(&thread, answers, &given) != thrd_success || thrd_join(thread, &answer) != thrd_success);
    WRONG_IF(answer != 42);
    return 0;
}
static int memory(void) {
    char *zero = calloc(3, 100), *p = malloc(100), *q = aligned_alloc(4096, 4096);
    for (int n = 0; n < 300; n++) WRONG_IF(zero[n]);
    WRONG_IF((uintptr_t)q % 4096);
    memset(p, 1, 100);
    p = realloc(p, 5000);
    WRONG_IF(p[99] != 1);
    free(p);
    WRONG_IF(malloc(100) == p);
    WRONG_IF(malloc((size_t)1 << 40));
    return 0;
}
static volatile int deep;
static int recurses(int n) {
    volatile char room[4096];
    room[0] = (char)n;
    if (n) deep = recurses(n + 1);
    return deep + room[0];
}
static int never(void) {
    while (!atomic_load(&flag)) {}
    return 0;
}
static int stands(void) {
    for (;;) __asm__ volatile("");
}
static int deadlocks(void) { return pthread_mutex_lock(&mutex) + pthread_mutex_lock(&mutex); }
static int blocks(void) {
    int ends[2];
    char byte;
    WRONG_IF(pipe(ends));
    return (int)read(ends[0], &byte, 1);
}
static int asserts(void) {
    extern void __assert_fail(const char *, const char *, unsigned, const char *);
    __assert_fail("the moon is made of cheese", __FILE__, __LINE__, __func__);
    return 0;
}
static int frees_twice(void) {
    void *volatile p = malloc(10);
    free(p);
    free(p);
    return 0;
}
static int uses_freed(void) {
    char *volatile p = malloc(10);
    free(p);
    return p[5];
}
static int segfaults(void) { return *(volatile int *)(uintptr_t)counter; }
static int exits(void) { exit(3); }
static int overflows(void) { return recurses(1); }

int64_t tmem_reclaim(tmem_store *s, uint32_t number) {
    static int (*const tries[])(void) = {mutexes, times, conditions, rwlocks, spinning, semaphores, storage, c11, memory,
                                         overflows, never, stands, deadlocks, blocks, asserts, frees_twice, uses_freed, segfaults, exits};
    (void)s;
    return tries[number]();
}
tmem_store *tmem_open(const struct tmem_config *config) { (void)config; return calloc(1, sizeof(tmem_store)); }
void tmem_close(tmem_store *s) { free(s); }
int tmem_new_pool(tmem_store *s, uint16_t client, uint32_t flags, const uint64_t uuid[2]) { (void)s, (void)client, (void)flags, (void)uuid; return 0; }
int tmem_destroy_pool(tmem_store *s, uint16_t client, int32_t pool) { (void)s, (void)client, (void)pool; return 1; }
int tmem_put(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index, const void *page) { (void)s, (void)client, (void)pool, (void)oid, (void)index, (void)page; return 0; }
int tmem_get(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index, void *page) { (void)s, (void)client, (void)pool, (void)oid, (void)index, (void)page; return 0; }
int tmem_flush_page(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3], uint32_t index) { (void)s, (void)client, (void)pool, (void)oid, (void)index; return 0; }
int tmem_flush_object(tmem_store *s, uint16_t client, int32_t pool, const uint64_t oid[3]) { (void)s, (void)client, (void)pool, (void)oid; return 0; }
