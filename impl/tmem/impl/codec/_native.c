/* lz4 blocks for Python: many pages with the interpreter given up, and one where two threads take turns.
 *
 * The data is that of lz4.block: the size of the page in four bytes, least significant first, then an lz4
 * block. lz4 itself is that of the installed package lz4, found in its extension when this module is imported,
 * so to compile this takes the headers of Python and nothing else.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#define HEAD 4
#define PIECE 16                    /* pages that are worked on between two looks at Python's objects */
#define LONGEST 0x7E000000          /* LZ4_MAX_INPUT_SIZE */
#define ON_STACK (1 << 13)
#define TURNS 2000                  /* some 30 µs: several times what a piece needs the interpreter for */
#define COMPANY 64                  /* single pages of one thread after which it takes itself to be alone */
#define LATE 100000                 /* nanoseconds: to be woken up takes half as long */
#define LONG_WAIT 3000000           /* nanoseconds */
#define KEPT (1 << 14)              /* single pages: some 0.03 to 0.1 s */
#define STRANGE (1 << 11)           /* single pages: about as many as three threads do between two turns */
#if defined(__x86_64__) || defined(__i386__)
#define PAUSE() __builtin_ia32_pause()
#else
#define PAUSE() atomic_signal_fence(memory_order_seq_cst)
#endif
#define BOUND(size) ((size) + (size) / 255 + 16)    /* LZ4_COMPRESSBOUND */

typedef struct { uint64_t words[(1 << 14) / 8 + 32]; } Stream;    /* at least an LZ4_stream_t */
static void *(*init_stream)(void *, size_t);
static int (*lz4_compress)(void *, const char *, char *, int, int, int);
static int (*lz4_decompress)(const char *, char *, int, int);

static void write_size(char *data, uint32_t size)
{
    for (int at = 0; at < HEAD; at++)
        data[at] = (char)(size >> 8 * at);
}

static uint32_t read_size(const char *data)
{
    uint32_t size = 0;
    for (int at = 0; at < HEAD; at++)
        size |= (uint32_t)(unsigned char)data[at] << 8 * at;
    return size;
}

/* Gets the page and its size. Returns -1 with an exception if the argument is not a page. */
static Py_ssize_t page_size(PyObject *page)
{
    if (!PyBytes_CheckExact(page)) {
        PyErr_Format(PyExc_TypeError, "bytes are wanted, not %.80s", Py_TYPE(page)->tp_name);
        return -1;
    }
    if (PyBytes_GET_SIZE(page) > LONGEST) {
        PyErr_SetString(PyExc_OverflowError, "the page is too long for lz4");
        return -1;
    }
    return PyBytes_GET_SIZE(page);
}

/* The size of the page that the data says it is; -1 and an exception where it is no data. */
static Py_ssize_t told_size(PyObject *data)
{
    if (!PyBytes_CheckExact(data)) {
        PyErr_Format(PyExc_TypeError, "bytes are wanted, not %.80s", Py_TYPE(data)->tp_name);
        return -1;
    }
    if (PyBytes_GET_SIZE(data) > HEAD && PyBytes_GET_SIZE(data) <= BOUND((Py_ssize_t)LONGEST)) {
        uint32_t size = read_size(PyBytes_AS_STRING(data));
        if (size <= LONGEST)
            return size;
    }
    PyErr_SetString(PyExc_ValueError, "the data is not that of a page");
    return -1;
}

static int compress_into(Stream *stream, char *data, const char *page, int size)
{
    init_stream(stream, sizeof *stream);
    int block = lz4_compress(stream, page, data + HEAD, size, BOUND(size), 1);
    write_size(data, (uint32_t)size);
    return block > 0 ? HEAD + block : 0;
}

static int decompress_into(char *page, int size, const char *data, int length)
{
    return lz4_decompress(data + HEAD, page, length - HEAD, size) == size;
}

static PyObject *corrupt(void)
{
    PyErr_SetString(PyExc_ValueError, "the data is not that of a page");
    return NULL;
}

/* Who came back last from lz4 and may still have the interpreter. */
static _Atomic(PyThreadState *) inside;

/* Give the interpreter up. */
static PyThreadState *leave(void)
{
    PyThreadState *self = PyEval_SaveThread(), *mine = self;
    atomic_compare_exchange_strong(&inside, &mine, NULL);
    return self;
}

/* Take the interpreter again. Another thread between two calls of lz4 needs it for some microseconds: to wait
   for so long here is sooner over than to be put to sleep for it, and woken up. */
static void come_back(PyThreadState *self)
{
    for (int turn = 0; turn < TURNS && atomic_load_explicit(&inside, memory_order_relaxed); turn++)
        PAUSE();
    PyEval_RestoreThread(self);
    atomic_store(&inside, self);
}

/* Who compressed or decompressed a single page last, and who did before that; for how many more such calls the
   two are taken to be in company. Below zero, how many keep the interpreter whatever company they have. Guarded
   by the interpreter. */
static PyThreadState *last, *before;
static int company;

/* A thread on its way through lz4 for a single page: itself, or NULL where it kept the interpreter; whether it
   is about to take itself to be alone. */
typedef struct { PyThreadState *self; int alone; } Way;

/* Give the interpreter up for a single page if just one other thread was here lately: who is alone would lose
   time, and of three or more some would wait on cores that others need. */
static Way leave_to_company(void)
{
    PyThreadState *self = PyThreadState_Get();
    int alone = company == 1;
    if (company < 0)
        company++;
    else if (company)
        company--;
    if (self != last) {
        if (self != before)
            company = company < -STRANGE ? company : -STRANGE;
        else if (company >= 0)
            company = COMPANY;
        before = last;
        last = self;
    }
    alone = alone && !company;
    return (Way) {company > 0 || alone ? leave() : NULL, alone};
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * (int64_t)1000000000 + time.tv_nsec;
}

/* Take it again, where it was given up. The other may be asleep, and whenever it is woken up find that this one
   is back: before that takes itself to be alone, it waits for it once. A thread that computes in Python keeps
   the interpreter for milliseconds: then it is not given up again soon. */
static void come_back_from_company(Way way)
{
    if (!way.self)
        return;
    int64_t start = now();
    while (way.alone && !atomic_load_explicit(&inside, memory_order_relaxed) && now() - start < LATE)
        PAUSE();
    come_back(way.self);
    if (now() - start > LONG_WAIT)
        company = -KEPT;
}

static PyObject *compress(PyObject *module, PyObject *page)
{
    Stream stream;
    char fixed[ON_STACK], *data = fixed;
    PyObject *made = NULL;
    Py_ssize_t size = page_size(page);
    if (size < 0)
        return NULL;
    if (HEAD + BOUND(size) > ON_STACK && !(data = PyMem_Malloc(HEAD + BOUND(size))))
        return PyErr_NoMemory();
    Way way = leave_to_company();
    int length = compress_into(&stream, data, PyBytes_AS_STRING(page), (int)size);
    come_back_from_company(way);
    if (length)
        made = PyBytes_FromStringAndSize(data, length);
    else
        PyErr_SetString(PyExc_RuntimeError, "lz4 does not compress the page");
    if (data != fixed)
        PyMem_Free(data);
    return made;
}

static PyObject *decompress(PyObject *module, PyObject *data)
{
    Py_ssize_t size = told_size(data);
    if (size < 0)
        return NULL;
    PyObject *page = PyBytes_FromStringAndSize(NULL, size);
    if (!page)
        return NULL;
    Way way = leave_to_company();
    int good = decompress_into(PyBytes_AS_STRING(page), (int)size,
                               PyBytes_AS_STRING(data), (int)PyBytes_GET_SIZE(data));
    come_back_from_company(way);
    if (!good) {
        Py_DECREF(page);
        return corrupt();
    }
    return page;
}

/* Compress `count` pages of a tuple from `first` on, and append their data to the list. */
static int compress_piece(PyObject *pages, Py_ssize_t first, int count, PyObject *list)
{
    int sizes[PIECE], lengths[PIECE];
    const char *from[PIECE];
    size_t room = 0;
    Stream stream;
    for (int at = 0; at < count; at++) {
        PyObject *page = PyTuple_GET_ITEM(pages, first + at);
        Py_ssize_t size = page_size(page);
        if (size < 0)
            return -1;
        sizes[at] = (int)size;
        from[at] = PyBytes_AS_STRING(page);
        room += HEAD + BOUND((size_t)size);
    }
    char *scratch = PyMem_Malloc(room), *next = scratch;
    if (!scratch) {
        PyErr_NoMemory();
        return -1;
    }
    PyThreadState *self = leave();
    for (int at = 0; at < count; at++) {
        lengths[at] = compress_into(&stream, next, from[at], sizes[at]);
        next += lengths[at];            /* close together, so that less of the cache is taken */
    }
    come_back(self);
    int failed = 0;
    next = scratch;
    for (int at = 0; at < count && !failed; next += lengths[at++]) {
        PyObject *data = NULL;
        if (lengths[at])
            data = PyBytes_FromStringAndSize(next, lengths[at]);
        else
            PyErr_SetString(PyExc_RuntimeError, "lz4 does not compress a page");
        failed = !data || PyList_Append(list, data);
        Py_XDECREF(data);
    }
    PyMem_Free(scratch);
    return failed ? -1 : 0;
}

/* Decompress `count` items of a tuple from `first` on, and append the pages to the list. */
static int decompress_piece(PyObject *all, Py_ssize_t first, int count, PyObject *list)
{
    int sizes[PIECE], lengths[PIECE], good = 1;
    const char *from[PIECE];
    char *to[PIECE];
    for (int at = 0; at < count; at++) {
        PyObject *data = PyTuple_GET_ITEM(all, first + at);
        Py_ssize_t size = told_size(data);
        if (size < 0)
            return -1;
        PyObject *page = PyBytes_FromStringAndSize(NULL, size);
        if (!page || PyList_Append(list, page)) {
            Py_XDECREF(page);
            return -1;
        }
        Py_DECREF(page);                /* the list keeps it, and nobody else knows the list */
        sizes[at] = (int)size;
        to[at] = PyBytes_AS_STRING(page);
        lengths[at] = (int)PyBytes_GET_SIZE(data);
        from[at] = PyBytes_AS_STRING(data);
    }
    PyThreadState *self = leave();
    for (int at = 0; at < count && good; at++)
        good = decompress_into(to[at], sizes[at], from[at], lengths[at]);
    come_back(self);
    if (!good)
        corrupt();
    return good ? 0 : -1;
}

/* The pieces of any sequence, which is copied: others may change it while the interpreter is theirs. */
static PyObject *in_pieces(PyObject *things, int (*piece)(PyObject *, Py_ssize_t, int, PyObject *))
{
    PyObject *own = PySequence_Tuple(things), *list = own ? PyList_New(0) : NULL;
    Py_ssize_t total = list ? PyTuple_GET_SIZE(own) : 0;
    for (Py_ssize_t at = 0; at < total; at += PIECE) {
        if (piece(own, at, total - at < PIECE ? (int)(total - at) : PIECE, list) < 0) {
            Py_CLEAR(list);
            break;
        }
    }
    Py_XDECREF(own);
    return list;
}

static PyObject *compress_many(PyObject *module, PyObject *pages)
{
    return in_pieces(pages, compress_piece);
}

static PyObject *decompress_many(PyObject *module, PyObject *data)
{
    return in_pieces(data, decompress_piece);
}

static PyMethodDef methods[] = {
    {"compress", compress, METH_O, "The data of a page."},
    {"decompress", decompress, METH_O, "Return the page of this data. Raises ValueError for other data."},
    {"compress_many", compress_many, METH_O, "The data of each page."},
    {"decompress_many", decompress_many, METH_O, "Return the page of each of the data. Raises ValueError for other data."},
    {NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "lz4 blocks, with the interpreter given up where that serves two threads.", 0, methods,
};

/* Find lz4 in the extension of the package lz4, which is loaded already. */
static int bind(void)
{
    PyObject *block = PyImport_ImportModule("lz4.block._block");
    PyObject *file = block ? PyObject_GetAttrString(block, "__file__") : NULL;
    const char *path = file ? PyUnicode_AsUTF8(file) : NULL;
    void *library = path ? dlopen(path, RTLD_NOW) : NULL;
    if (library) {
        *(void **)&init_stream = dlsym(library, "LZ4_initStream");
        *(void **)&lz4_compress = dlsym(library, "LZ4_compress_fast_continue");
        *(void **)&lz4_decompress = dlsym(library, "LZ4_decompress_safe");
    }
    Py_XDECREF(file);
    Py_XDECREF(block);
    if (PyErr_Occurred())
        return -1;
    if (!init_stream || !lz4_compress || !lz4_decompress) {
        PyErr_SetString(PyExc_ImportError, "the installed lz4 does not show the functions of liblz4");
        return -1;
    }
    Stream stream;
    if (!init_stream(&stream, sizeof stream)) {
        PyErr_SetString(PyExc_ImportError, "the installed lz4 wants more memory than is known here");
        return -1;
    }
    return 0;
}

PyMODINIT_FUNC PyInit__native(void)
{
    return bind() < 0 ? NULL : PyModule_Create(&definition);
}
