/*
 * The runtime for controlled schedules of compiled code: what its parts share.
 *
 * A library that was compiled with -fsanitize=thread calls a function before each access of memory. This
 * runtime takes the place of the library that usually answers those calls. Each virtual thread of a program is
 * a *fiber*: a stack of its own on the one real thread of the schedules. A fiber runs until it *leaves*: its
 * call has returned, it reached the switch point that was asked for, it waits, or it crashed. Python then decides
 * who goes on, and resumes that fiber.
 *
 *   fibers.c    stacks, entering and leaving, thread-local storage, the state of the library between runs
 *   points.c    accesses and atomics: which of them are switch points, which race
 *   heap.c      malloc and free; memory that is freed is poisoned and never given out again
 *   locks.c     mutexes, read-write locks, condition variables, semaphores, once, barriers, futexes
 *   threads.c   threads, keys, time, and C11's names for all of these
 *   crash.c     signals, abort and exit: what becomes of a call that does not return
 *
 * Outside of a fiber (constructors, real threads) every function does what libc's does.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { FIBERS = 24, KEYS = 128, STACK = 1 << 20, TRACE = 64 };
enum { SLICE = 32 << 20 }; /* bytes of a fiber: its guard page, its stack, its heap */

/* Why a fiber left. */
enum status { DONE = 1, REACHED, BLOCK, WAKE, HOLD, YIELD, SPIN, SPAWN, JOIN, MARK, CRASHED, EXITED, STOOD };

/* The words that Python and the runtime exchange. */
enum word {
    LEFT,     /* switch points until the fiber leaves */
    RESULT,   /* what the call returned */
    WHAT,     /* the lock, address or routine that a status is about */
    NUMBER,   /* its number: fibers as bits, a signal, an exit code, a kind of mark */
    TIMEOUT,  /* nanoseconds to wait at the most, or -1 */
    PLACE,    /* the address in the code where it left */
    ANSWER,   /* from Python, on resuming: whether the time ran out, or the fiber that was spawned */
    NOW,      /* virtual nanoseconds since the run began */
    TRACING,  /* whether locks report what is done to them */
    ACCESSES, /* whether accesses are switch points, or locks alone */
    LEARNING, /* whether addresses are noted by who touches them */
    OWNER,    /* the fiber that holds the lock, or -1 */
    NARROW,   /* whether the function returns an int of 32 bits */
    FUNCTION, /* the function to call, and its arguments */
    ARGUMENTS,
    WORDS = ARGUMENTS + 6
};
extern int64_t tmem_words[WORDS];

struct sync;
struct fiber {
    int index;
    int started, of_target, narrow;
    int64_t function, arguments[6], result;
    char *stack, *heap, *heap_end;
    void *tls;
    int error; /* its errno */
    uint32_t clock[FIBERS];
    struct sync *waits;
    uint64_t since; /* waits in the order of this */
    void *specific[KEYS];
    struct { void (*destroy)(void *); void *object; } leaving[32];
    int leavings;
};
extern struct fiber tmem_fibers[FIBERS];
extern __thread struct fiber *tmem_me __attribute__((tls_model("initial-exec")));
#define me tmem_me
#define PC __builtin_return_address(0)

/* A thing that fibers wait for or synchronise by, found by its address. */
struct sync {
    void *address;
    int owner; /* fiber + 1, or 0 */
    int count, readers, waiters, generation;
    uint32_t clock[FIBERS];
};

void tmem_leave(enum status status, void *what, int64_t number, void *pc);
void tmem_give_up(enum status status) __attribute__((noreturn));
void tmem_access(void *address, size_t size, int write, void *pc);
void tmem_lock_point(void *address, void *pc);
void tmem_yield(void *pc);
void tmem_acquire(struct sync *s);
void tmem_release(struct sync *s);
void tmem_atomic(void *address, int acquires, int releases);
struct sync *tmem_sync(void *address);
int tmem_wait(struct sync *s, int64_t timeout, void *pc);
void tmem_wake(struct sync *s, int most, void *pc);
void tmem_reset_locks(void);
void tmem_reset_points(void);
void tmem_reset_heap(void);
void tmem_mark_gone(void *at, size_t size, int freed);
void tmem_crash(void);
void tmem_forget_points(void);
void tmem_ended(struct fiber *f);
int64_t tmem_until(const struct timespec *at);
void tmem_watch(void);
void *tmem_real(const char *name);
void tmem_say(const char *text);

/* The function of this name that comes after the runtime's own. */
#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))({ static void *real_; real_ ? real_ : (real_ = tmem_real(name)); }))
