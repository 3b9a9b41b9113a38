/* Fibers: stacks of their own on one real thread, and the state of the library from run to run. */
#include "runtime.h"
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

int64_t tmem_words[WORDS];
struct fiber tmem_fibers[FIBERS];
__thread struct fiber *tmem_me __attribute__((tls_model("initial-exec")));

uint64_t tmem_entries;             /* how often a fiber was entered or resumed */
char *tmem_base;                   /* of the slices of all fibers */
uintptr_t tmem_data, tmem_data_end; /* the library's variables */
uintptr_t tmem_code, tmem_code_end; /* its instructions */
static jmp_buf back;               /* where tmem_enter and tmem_resume go on */
static jmp_buf contexts[FIBERS];
static char *snapshot;             /* the variables as they were when the library had been loaded */
static struct { unsigned long module, offset; } tls_index;
static const void *tls_image;
static size_t tls_image_size, tls_size;
static char *tls_of_fibers, *tls_of_thread;
extern void *__tls_get_addr(void *);

void *tmem_real(const char *name) { return dlsym(RTLD_NEXT, name); }

static void *reserve(size_t size) {
    void *at = mmap((void *)0x100000000000, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (at == MAP_FAILED) at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

/* Finds the variables and the thread-local storage of the module that holds an address. */
static int look(struct dl_phdr_info *info, size_t size, void *address) {
    uintptr_t wanted = (uintptr_t)address, relro_end = 0, low = 0, high = 0, code = 0, code_end = 0;
    int found = 0;
    for (int n = 0; n < info->dlpi_phnum; n++) {
        const ElfW(Phdr) *each = &info->dlpi_phdr[n];
        uintptr_t from = info->dlpi_addr + each->p_vaddr, to = from + each->p_memsz;
        if (each->p_type == PT_LOAD && wanted >= from && wanted < to) found = 1;
        if (each->p_type == PT_LOAD && each->p_flags & PF_X) code = from, code_end = to;
        if (each->p_type == PT_LOAD && each->p_flags & PF_W) low = from, high = to;
        if (each->p_type == PT_GNU_RELRO) relro_end = (to + 4095) & ~(uintptr_t)4095;
        if (each->p_type == PT_TLS) tls_image = (void *)from, tls_image_size = each->p_filesz, tls_size = each->p_memsz;
    }
    if (!found) {
        tls_size = 0;
        return 0;
    }
    (void)size;
    tmem_data = relro_end > low && relro_end < high ? relro_end : low;
    tmem_data_end = high;
    tmem_code = code;
    tmem_code_end = code_end;
    tls_index.module = info->dlpi_tls_modid;
    return 1;
}

/* Makes ready for the library that holds the address. Returns 0 where there is no room. */
int tmem_attach(void *address) {
    if (!tmem_base && !(tmem_base = reserve((size_t)FIBERS * SLICE))) return 0;
    dl_iterate_phdr(look, address);
    tmem_forget_points();
    snapshot = reserve(tmem_data_end - tmem_data + 1);
    memcpy(snapshot, (void *)tmem_data, tmem_data_end - tmem_data);
    tls_of_fibers = NULL;
    if (tls_size) tls_of_fibers = reserve(tls_size * (FIBERS + 1)), tls_of_thread = tls_of_fibers + FIBERS * tls_size;
    for (int n = 0; n < FIBERS; n++) mprotect(tmem_base + (size_t)n * SLICE, 4096, PROT_NONE);
    return 1;
}

static void restart(struct fiber *f) {
    int index = (int)(f - tmem_fibers);
    char *slice = tmem_base + (size_t)index * SLICE;
    memset(f, 0, sizeof *f);
    f->index = index;
    f->stack = slice + 4096;
    f->heap = slice + 4096 + STACK;
    f->heap_end = slice + SLICE;
    f->clock[f->index] = 1;
    if (tls_size) {
        f->tls = tls_of_fibers + f->index * tls_size;
        memcpy(f->tls, tls_image, tls_image_size);
        memset((char *)f->tls + tls_image_size, 0, tls_size - tls_image_size);
    }
}

/* A run begins: the library is as it was when it had been loaded, and no fiber has done anything. */
void tmem_begin(void) {
    memcpy((void *)tmem_data, snapshot, tmem_data_end - tmem_data);
    for (int n = 0; n < FIBERS; n++) restart(&tmem_fibers[n]);
    tmem_reset_locks();
    tmem_reset_heap();
    tmem_reset_points();
    tmem_words[NOW] = 0;
    tmem_watch();
}

/* What a fiber does from its first call on. */
static void live(void) {
    for (;;) {
        struct fiber *f = me;
        int64_t *a = f->arguments;
        int64_t result = ((int64_t(*)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t))f->function)(a[0], a[1], a[2], a[3], a[4], a[5]);
        if (f->of_target) tmem_ended(f);
        tmem_words[RESULT] = f->result = f->narrow ? (int32_t)result : result;
        tmem_leave(DONE, NULL, 0, NULL);
    }
}

/* A thread of the library ends: what it kept for itself is destroyed. */
void tmem_ended(struct fiber *f) {
    while (f->leavings) {
        f->leavings--;
        f->leaving[f->leavings].destroy(f->leaving[f->leavings].object);
    }
}

static void begin_on_own_stack(struct fiber *f) {
    static ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = f->stack;
    context.uc_stack.ss_size = STACK;
    context.uc_link = NULL;
    makecontext(&context, live, 0);
    setcontext(&context);
}

static int run(struct fiber *f) {
    void *tls = tls_size ? __tls_get_addr(&tls_index) : NULL;
    if (tls) memcpy(tls_of_thread, tls, tls_size), memcpy(tls, f->tls, tls_size);
    int error = errno;
    errno = f->error;
    int status = _setjmp(back);
    if (!status) {
        me = f;
        if (f->started) _longjmp(contexts[f->index], 1);
        f->started = 1;
        begin_on_own_stack(f);
    }
    me = NULL;
    f->error = errno;
    errno = error;
    tls = tls_size ? __tls_get_addr(&tls_index) : NULL;
    if (tls) memcpy(f->tls, tls, tls_size), memcpy(tls, tls_of_thread, tls_size);
    return status;
}

/* Calls words[FUNCTION] on a fiber; why it left. The fibers after the first begin where the first is. */
int tmem_enter(int index) {
    tmem_entries++;
    struct fiber *f = &tmem_fibers[index], *main = &tmem_fibers[0];
    f->function = tmem_words[FUNCTION];
    f->narrow = (int)tmem_words[NARROW];
    for (int n = 0; n < 6; n++) f->arguments[n] = tmem_words[ARGUMENTS + n];
    if (!index)
        for (int n = 1; n < FIBERS; n++) {
            if (tmem_fibers[n].clock[n] > main->clock[n]) main->clock[n] = tmem_fibers[n].clock[n];
        }
    else if (!f->started)
        for (int n = 0; n < FIBERS; n++) {
            if (n != index && main->clock[n] > f->clock[n]) f->clock[n] = main->clock[n];
        }
    if (!index || !f->started) main->clock[0]++;
    return run(f);
}

/* Lets a fiber go on that had left; why it left again. */
int tmem_resume(int index) {
    tmem_entries++;
    return run(&tmem_fibers[index]);
}

void tmem_leave(enum status status, void *what, int64_t number, void *pc) {
    struct fiber *f = me;
    tmem_words[WHAT] = (int64_t)what;
    tmem_words[NUMBER] = number;
    if (pc) tmem_words[PLACE] = (int64_t)pc - 1;
    if (!_setjmp(contexts[f->index])) _longjmp(back, status);
}

/* Leaves for good: the fiber cannot go on. */
void tmem_give_up(enum status status) {
    me->started = 0;
    _longjmp(back, status);
}
