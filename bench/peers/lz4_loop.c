/* lz4 in C, with nothing around it: pages from a file are compressed or decompressed until the time is over.
 * Usage: lz4_loop FILE put|get SECONDS. Prints pages a second. */
#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAGE = 4096 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    FILE *file = argc == 4 ? fopen(argv[1], "rb") : NULL;
    if (!file) return 2;
    fseek(file, 0, SEEK_END);
    long count = ftell(file) / PAGE;
    rewind(file);
    int bound = LZ4_compressBound(PAGE), put = !strcmp(argv[2], "put");
    char *pages = malloc(count * PAGE), *data = malloc(count * bound), page[PAGE];
    int *sizes = malloc(count * sizeof *sizes);
    if (!count || !pages || !data || !sizes || fread(pages, PAGE, count, file) != (size_t)count) return 2;
    for (long n = 0; n < count; n++)
        sizes[n] = LZ4_compress_default(pages + n * PAGE, data + n * bound, PAGE, bound);
    double begin = now(), end = begin + atof(argv[3]);
    long done = 0;
    while (now() < end)
        for (int some = 0; some < 16; some++, done++) {
            long n = done % count;
            if (put ? LZ4_compress_default(pages + n * PAGE, data + n * bound, PAGE, bound) != sizes[n]
                    : LZ4_decompress_safe(data + n * bound, page, sizes[n], PAGE) != PAGE)
                return 3;
        }
    printf("%.1f\n", done / (now() - begin));
    return 0;
}
