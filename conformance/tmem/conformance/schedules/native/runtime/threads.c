/* Threads that the library starts are fibers too; time is virtual; and C11's names for threads and locks. */
#include "runtime.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/time.h>
#include <threads.h>
#include <unistd.h>

/* What pthread_self answers in fiber n: no address, so that nobody looks behind it. */
static pthread_t name_of(int index) { return (pthread_t)(0x7000 + 16 * index); }
static int index_of(pthread_t thread) { return ((int)thread - 0x7000) / 16; }

static int spawn(pthread_t *thread, void *routine, void *argument, int narrow, void *pc) {
    tmem_words[ARGUMENTS] = (int64_t)argument;
    tmem_leave(SPAWN, routine, narrow, pc);
    int index = (int)tmem_words[ANSWER];
    if (!index) return EAGAIN;
    struct fiber *f = &tmem_fibers[index];
    f->of_target = 1;
    for (int n = 0; n < FIBERS; n++)
        if (n != index) f->clock[n] = me->clock[n];
    me->clock[me->index]++;
    *thread = name_of(index);
    return 0;
}
int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*routine)(void *), void *argument) {
    if (!me) return REAL(int, "pthread_create", pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)(thread, how, routine, argument);
    return spawn(thread, (void *)routine, argument, 0, PC);
}
static int64_t join(pthread_t thread, void *pc) {
    struct fiber *f = &tmem_fibers[index_of(thread)];
    tmem_leave(JOIN, NULL, f->index, pc);
    for (int n = 0; n < FIBERS; n++)
        if (f->clock[n] > me->clock[n]) me->clock[n] = f->clock[n];
    return f->result;
}
int pthread_join(pthread_t thread, void **result) {
    if (!me) return REAL(int, "pthread_join", pthread_t, void **)(thread, result);
    int64_t answer = join(thread, PC);
    if (result) *result = (void *)answer;
    return 0;
}
void pthread_exit(void *result) {
    if (!me) {
        REAL(void, "pthread_exit", void *)(result);
        __builtin_unreachable();
    }
    tmem_ended(me);
    me->result = (int64_t)result;
    tmem_give_up(DONE);
}
int pthread_detach(pthread_t thread) { return me ? 0 : REAL(int, "pthread_detach", pthread_t)(thread); }
pthread_t pthread_self(void) { return me ? name_of(me->index) : REAL(pthread_t, "pthread_self", void)(); }
int pthread_setname_np(pthread_t thread, const char *name) { return me ? 0 : REAL(int, "pthread_setname_np", pthread_t, const char *)(thread, name); }
int pthread_getattr_np(pthread_t thread, pthread_attr_t *attr) {
    if (!me) return REAL(int, "pthread_getattr_np", pthread_t, pthread_attr_t *)(thread, attr);
    pthread_attr_init(attr);
    return pthread_attr_setstack(attr, tmem_fibers[index_of(thread)].stack, STACK);
}
int pthread_kill(pthread_t thread, int signal) { return me ? ENOTSUP : REAL(int, "pthread_kill", pthread_t, int)(thread, signal); }
int pthread_cancel(pthread_t thread) { return me ? ENOTSUP : REAL(int, "pthread_cancel", pthread_t)(thread); }

/* Keys: made by libc, with the values of fibers here. */
int pthread_setspecific(pthread_key_t key, const void *value) {
    if (!me) return REAL(int, "pthread_setspecific", pthread_key_t, const void *)(key, value);
    if (key >= KEYS) return ENOMEM;
    me->specific[key] = (void *)value;
    return 0;
}
void *pthread_getspecific(pthread_key_t key) {
    if (!me) return REAL(void *, "pthread_getspecific", pthread_key_t)(key);
    return key < KEYS ? me->specific[key] : NULL;
}
int __cxa_thread_atexit_impl(void (*destroy)(void *), void *object, void *library) {
    if (!me) return REAL(int, "__cxa_thread_atexit_impl", void (*)(void *), void *, void *)(destroy, object, library);
    if (me->leavings == 32) return -1;
    me->leaving[me->leavings].destroy = destroy;
    me->leaving[me->leavings++].object = object;
    return 0;
}

/* Time */

enum { SECOND = 1000000000 };
static void pass(int64_t ns, void *pc) {
    static char nobody; /* nothing ends the wait but time */
    tmem_wait(tmem_sync(&nobody), ns > 0 ? ns : 0, pc);
}
static struct timespec now(int real) {
    int64_t ns = tmem_words[NOW];
    return (struct timespec){.tv_sec = (real ? SECOND : 0) + ns / SECOND, .tv_nsec = ns % SECOND};
}
int clock_gettime(clockid_t clock, struct timespec *at) {
    if (!me) return REAL(int, "clock_gettime", clockid_t, struct timespec *)(clock, at);
    *at = now(clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE);
    return 0;
}
time_t time(time_t *at) {
    if (!me) return REAL(time_t, "time", time_t *)(at);
    if (at) *at = now(1).tv_sec;
    return now(1).tv_sec;
}
int gettimeofday(struct timeval *at, void *zone) {
    if (!me) return REAL(int, "gettimeofday", struct timeval *, void *)(at, zone);
    at->tv_sec = now(1).tv_sec;
    at->tv_usec = now(1).tv_nsec / 1000;
    return 0;
}
int nanosleep(const struct timespec *span, struct timespec *left) {
    if (!me) return REAL(int, "nanosleep", const struct timespec *, struct timespec *)(span, left);
    pass(span->tv_sec * (int64_t)SECOND + span->tv_nsec, PC);
    return 0;
}
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *span, struct timespec *left) {
    if (!me) return REAL(int, "clock_nanosleep", clockid_t, int, const struct timespec *, struct timespec *)(clock, flags, span, left);
    pass(flags & TIMER_ABSTIME ? tmem_until(span) : span->tv_sec * (int64_t)SECOND + span->tv_nsec, PC);
    return 0;
}
int usleep(useconds_t span) { return me ? pass(span * 1000LL, PC), 0 : REAL(int, "usleep", useconds_t)(span); }
unsigned sleep(unsigned span) { return me ? pass(span * (int64_t)SECOND, PC), 0 : REAL(unsigned, "sleep", unsigned)(span); }
int sched_yield(void) { return me ? tmem_yield(PC), 0 : REAL(int, "sched_yield", void)(); }

/* C11 */

static int as_c11(int error) {
    return !error ? thrd_success : error == EBUSY ? thrd_busy : error == ETIMEDOUT ? thrd_timedout : thrd_error;
}
int mtx_lock(mtx_t *m) { return as_c11(pthread_mutex_lock((pthread_mutex_t *)m)); }
int mtx_trylock(mtx_t *m) { return as_c11(pthread_mutex_trylock((pthread_mutex_t *)m)); }
int mtx_timedlock(mtx_t *m, const struct timespec *at) { return as_c11(pthread_mutex_timedlock((pthread_mutex_t *)m, at)); }
int mtx_unlock(mtx_t *m) { return as_c11(pthread_mutex_unlock((pthread_mutex_t *)m)); }
int cnd_wait(cnd_t *c, mtx_t *m) { return as_c11(pthread_cond_wait((pthread_cond_t *)c, (pthread_mutex_t *)m)); }
int cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *at) { return as_c11(pthread_cond_timedwait((pthread_cond_t *)c, (pthread_mutex_t *)m, at)); }
int cnd_signal(cnd_t *c) { return as_c11(pthread_cond_signal((pthread_cond_t *)c)); }
int cnd_broadcast(cnd_t *c) { return as_c11(pthread_cond_broadcast((pthread_cond_t *)c)); }
void call_once(once_flag *once, void (*routine)(void)) { pthread_once((pthread_once_t *)once, routine); }
int thrd_create(thrd_t *thread, thrd_start_t routine, void *argument) {
    if (!me) return REAL(int, "thrd_create", thrd_t *, thrd_start_t, void *)(thread, routine, argument);
    return as_c11(spawn((pthread_t *)thread, (void *)routine, argument, 1, PC));
}
int thrd_join(thrd_t thread, int *result) {
    if (!me) return REAL(int, "thrd_join", thrd_t, int *)(thread, result);
    int64_t answer = join((pthread_t)thread, PC);
    if (result) *result = (int)answer;
    return thrd_success;
}
int thrd_detach(thrd_t thread) { return me ? thrd_success : REAL(int, "thrd_detach", thrd_t)(thread); }
thrd_t thrd_current(void) { return (thrd_t)pthread_self(); }
void thrd_yield(void) { sched_yield(); }
int thrd_sleep(const struct timespec *span, struct timespec *left) { return nanosleep(span, left); }
int tss_set(tss_t key, void *value) { return as_c11(pthread_setspecific((pthread_key_t)key, value)); }
void *tss_get(tss_t key) { return pthread_getspecific((pthread_key_t)key); }
