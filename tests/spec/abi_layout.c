/* Prints offsets, sizes and filled samples of the ABI's structs, as JSON. The declarations are ours. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct creat { uint64_t uuid[2]; uint32_t flags, arg1; };
struct ctrl { uint32_t subop, cli_id, arg1, arg2; uint64_t oid[3]; void *buf; };
struct gen { uint64_t oid[3]; uint32_t index, tmem_offset, pfn_offset, len; uint64_t cmfn; };
struct op { uint32_t cmd; int32_t pool_id; union { struct creat creat; struct ctrl ctrl; struct gen gen; } u; };
struct handle { uint32_t pool_id, index; uint64_t oid[3]; };

_Static_assert(sizeof(void *) == 8, "a 64-bit machine is needed");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a little-endian machine is needed");

static void member(const char *name, size_t offset, size_t size, const char *then)
{
    printf("\"%s\": [%zu, %zu]%s", name, offset, size, then);
}

static void sample(const char *name, const void *bytes, size_t size, const char *then)
{
    printf("\"%s\": \"", name);
    for (size_t i = 0; i < size; i++)
        printf("%02x", ((const unsigned char *)bytes)[i]);
    printf("\"%s", then);
}

#define OP(path, name, then) member(name, offsetof(struct op, path), sizeof(((struct op *)0)->path), then)
#define HANDLE(name, then) member(#name, offsetof(struct handle, name), sizeof(((struct handle *)0)->name), then)

static void members(void)
{
    printf("\"members\": {\"head\": {");
    OP(cmd, "cmd", ", ");
    OP(pool_id, "pool_id", "}, \"creat\": {");
    OP(u.creat.uuid, "uuid", ", ");
    OP(u.creat.flags, "flags", ", ");
    OP(u.creat.arg1, "arg1", "}, \"ctrl\": {");
    OP(u.ctrl.subop, "subop", ", ");
    OP(u.ctrl.cli_id, "cli_id", ", ");
    OP(u.ctrl.arg1, "arg1", ", ");
    OP(u.ctrl.arg2, "arg2", ", ");
    OP(u.ctrl.oid, "oid", ", ");
    OP(u.ctrl.buf, "buf", "}, \"gen\": {");
    OP(u.gen.oid, "oid", ", ");
    OP(u.gen.index, "index", ", ");
    OP(u.gen.tmem_offset, "tmem_offset", ", ");
    OP(u.gen.pfn_offset, "pfn_offset", ", ");
    OP(u.gen.len, "len", ", ");
    OP(u.gen.cmfn, "cmfn", "}, \"handle\": {");
    HANDLE(pool_id, ", ");
    HANDLE(index, ", ");
    HANDLE(oid, "}}, ");
}

static void samples(void)
{
    struct op op;
    struct handle handle = {1, 2, {3, 4, 5}};

    printf("\"samples\": {");
    memset(&op, 0, sizeof op);
    op.cmd = 1, op.pool_id = -2;
    op.u.creat = (struct creat){{1, 2}, 3, 4};
    sample("creat", &op, sizeof op, ", ");
    memset(&op, 0, sizeof op);
    op.cmd = 0, op.pool_id = -2;
    op.u.ctrl = (struct ctrl){10, 1, 2, 3, {4, 5, 6}, (void *)7};
    sample("ctrl", &op, sizeof op, ", ");
    memset(&op, 0, sizeof op);
    op.cmd = 4, op.pool_id = -2;
    op.u.gen = (struct gen){{1, 2, 3}, 4, 5, 6, 7, UINT64_C(0x8900000000000001)};
    sample("gen", &op, sizeof op, ", ");
    sample("handle", &handle, sizeof handle, "}}\n");
}

int main(void)
{
    printf("{\"sizes\": {\"tmem_op\": %zu, \"tmem_handle\": %zu}, ", sizeof(struct op), sizeof(struct handle));
    members();
    samples();
    return 0;
}
