/* What becomes of a call that does not return: signals, abort, exit. The fiber is left for good, the run ends. */
#include "runtime.h"
#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *tmem_trace[TRACE]; /* where the call was, innermost first */
int tmem_trace_length;
int tmem_trace_exact; /* which of them is no return address, but where a signal came */
char tmem_said[512]; /* what the library said as it ended, such as an assertion that failed */

enum { SIGNALS = 65 };
static const int CRASHES[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
static struct sigaction others[SIGNALS];
static int report = -1; /* where backtraces of real threads go */
extern uint64_t tmem_entries;
static uint64_t seen;
static int still;

void tmem_say(const char *text) {
    strncpy(tmem_said, text, sizeof tmem_said - 1);
}

/* Writes the backtrace for whoever reads it after the process has died: a library and an offset in each line. */
static void write_backtrace(int skip) {
    void *trace[TRACE];
    char line[600];
    int length = backtrace(trace, TRACE);
    for (int n = skip; n < length; n++) {
        Dl_info where;
        if (!dladdr(trace[n], &where) || !where.dli_fname) continue;
        int size = snprintf(line, sizeof line, "  Native %s+%#lx\n", where.dli_fname, (unsigned long)((char *)trace[n] - (char *)where.dli_fbase));
        if (size > 0 && write(report, line, (size_t)size) < 0) return;
    }
}

static void crashed(int number, siginfo_t *info, void *context) {
    (void)context;
    if (me) {
        tmem_words[NUMBER] = number;
        tmem_words[WHAT] = (int64_t)info->si_addr;
        tmem_trace_length = backtrace(tmem_trace, TRACE);
        tmem_trace_exact = 2; /* after the handler and what called it */
        tmem_give_up(CRASHED);
    }
    if (report >= 0) write_backtrace(2);
    sigaction(number, &others[number], NULL);
    if (number == SIGABRT || info->si_code <= 0) raise(number); /* nothing happens again by itself */
}

/* The watchdog of schedules: where a fiber has passed no point since the last tick but one, it stands still. */
static void tick(int number, siginfo_t *info, void *context) {
    uint64_t now = tmem_entries * (1u << 20) - (uint64_t)tmem_words[LEFT];
    if (me && now == seen && ++still >= 2) {
        tmem_trace_length = backtrace(tmem_trace, TRACE);
        tmem_trace_exact = 2;
        still = 0;
        tmem_give_up(STOOD);
    }
    if (!me || now != seen) still = 0;
    seen = now;
    struct sigaction *other = &others[number];
    if (other->sa_flags & SA_SIGINFO) other->sa_sigaction(number, info, context);
    else if (other->sa_handler != SIG_IGN && other->sa_handler != SIG_DFL) other->sa_handler(number);
}

static void take_over(int number, void (*handler)(int, siginfo_t *, void *)) {
    struct sigaction ours = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART}, there;
    sigaction(number, NULL, &there);
    if (there.sa_flags & SA_SIGINFO && there.sa_sigaction == handler) return;
    others[number] = there;
    sigaction(number, &ours, NULL);
}

/* Crashes of real threads are written to the file; those of fibers end their run. */
void tmem_catch(int file) {
    void *trace[2];
    backtrace(trace, 2); /* loads what it needs now, and not within a handler */
    if (file >= 0) report = file;
    static char *stack;
    if (!stack && (stack = malloc(1 << 16))) sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = 1 << 16}, NULL);
    for (size_t n = 0; n < sizeof CRASHES / sizeof *CRASHES; n++) take_over(CRASHES[n], crashed);
}
void tmem_watch(void) {
    static int caught;
    if (!caught++) tmem_catch(-1);
    take_over(SIGALRM, tick);
    tmem_said[0] = 0;
    tmem_trace_length = 0;
}

static void ends(enum status status, int number) {
    tmem_words[NUMBER] = number;
    tmem_trace_length = backtrace(tmem_trace, TRACE);
    tmem_trace_exact = -1;
    tmem_give_up(status);
}
void tmem_crash(void) { ends(CRASHED, SIGABRT); }
void abort(void) {
    if (me) ends(CRASHED, SIGABRT);
    REAL(void, "abort", void)();
    __builtin_unreachable();
}
void __assert_fail(const char *expression, const char *file, unsigned line, const char *function) {
    char text[sizeof tmem_said];
    snprintf(text, sizeof text, "%s:%u: %s: the assertion failed: %s", file, line, function, expression);
    fprintf(stderr, "%s\n", text);
    if (me) tmem_say(text);
    abort();
}
void exit(int code) {
    if (me) ends(EXITED, code);
    REAL(void, "exit", int)(code);
    __builtin_unreachable();
}
void _exit(int code) {
    if (me) ends(EXITED, code);
    REAL(void, "_exit", int)(code);
    __builtin_unreachable();
}
