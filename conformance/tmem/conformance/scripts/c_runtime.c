/* From here on: how calls are made, printed and compared. */

#define UNUSED __attribute__((unused)) /* in some programs */

enum { BROKEN = 1, ALLOWED = 0, SHOWS_NOTHING = 3, DONE = 42 };
enum method { NEW_POOL, DESTROY_POOL, PUT, GET, FLUSH_PAGE, FLUSH_OBJECT, RECLAIM, POOL_FLAGS, CLOSE };
static const char *const names[] = {"new_pool",   "destroy_pool", "put",        "get",  "flush_page",
                                    "flush_object", "reclaim",    "pool_flags", "close"};

enum { GUARD = 64, FILL = 0xC5, STAMP = 32 };

/* A page: number `known` of known_page, or, if that is -1, stamped: its ends say which put it is of. */
struct page {
    int known;
    uint32_t name, area, lifetime, slot, time;
    int body;
};

struct call {
    int backend;
    enum method method;
    uint32_t client;
    int is_id; /* then `pool` counts the pools that were made */
    int32_t pool;
    uint64_t oid[3];
    uint32_t index, flags;
    int has_uuid;
    uint64_t uuid[2];
    uint32_t pages;
    struct page page;
    int made; /* the answer is the id of a pool */
    int hit;  /* the answer is the page `came_page` */
    int64_t came;
    struct page came_page;
};

static unsigned char outgoing[PAGE_SIZE + 2 * GUARD], incoming[PAGE_SIZE + 2 * GUARD];
static int32_t ids[MOST_POOLS];
static int made, count;
static tmem_store *stores[BACKENDS];
static int damaged;

static void stamp(unsigned char *at, const struct page *page)
{
    uint16_t name = (uint16_t)page->name, area = (uint16_t)page->area;
    uint64_t mixed = ((uint64_t)page->slot << 32 | page->time) * 0x9E3779B97F4A7C15u;
    memcpy(at, "tmem\xa5put", 8);
    memcpy(at + 8, &name, 2);
    memcpy(at + 10, &area, 2);
    memcpy(at + 12, &page->lifetime, 4);
    memcpy(at + 16, &page->slot, 4);
    memcpy(at + 20, &page->time, 4);
    memcpy(at + 24, &mixed, 8);
}

UNUSED static void repeated(unsigned char *at, const char *pattern, size_t length)
{
    for (size_t n = 0; n < PAGE_SIZE; n++)
        at[n] = (unsigned char)pattern[n % length];
}

static void known_page(int number, unsigned char *at);
static const unsigned char *body_of(int number);

static void fill(const struct page *page, unsigned char *at)
{
    if (page->known >= 0) {
        known_page(page->known, at);
        return;
    }
    stamp(at, page);
    memcpy(at + STAMP, body_of(page->body), PAGE_SIZE - 2 * STAMP);
    stamp(at + PAGE_SIZE - STAMP, page);
}

static unsigned crc(const unsigned char *at)
{
    unsigned sum = ~0u;
    for (size_t n = 0; n < PAGE_SIZE; n++) {
        sum ^= at[n];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (0xEDB88320u & -(sum & 1));
    }
    return ~sum;
}

static int filled(const unsigned char *at, size_t length)
{
    for (size_t n = 0; n < length; n++)
        if (at[n] != FILL)
            return 0;
    return 1;
}

static void leave(int code)
{
    fflush(stdout);
    _exit(code);
}

static void broken(void)
{
    printf("%s is broken.\n", CLAUSE);
    leave(BROKEN);
}

static int64_t make(const struct call *call)
{
    tmem_store *store = stores[call->backend];
    int32_t pool = call->is_id ? ids[call->pool] : call->pool;
    uint16_t client = (uint16_t)call->client;
    int64_t answer = 0;
    unsigned char *page = outgoing + GUARD;
    printf("#%d %s client %u", ++count, names[call->method], call->client);
    if (call->method == NEW_POOL)
        printf(" flags 0x%x", call->flags);
    else if (call->method != RECLAIM && call->method != CLOSE)
        printf(" pool %d object 0x%llx:%llx:%llx index %u", pool, (unsigned long long)call->oid[2],
               (unsigned long long)call->oid[1], (unsigned long long)call->oid[0], call->index);
    fflush(stdout);
    switch (call->method) {
    case NEW_POOL: answer = tmem_new_pool(store, client, call->flags, call->has_uuid ? call->uuid : NULL); break;
    case DESTROY_POOL: answer = tmem_destroy_pool(store, client, pool); break;
    case PUT: {
        static unsigned char kept[PAGE_SIZE];
        memset(outgoing, FILL, sizeof outgoing);
        fill(&call->page, page);
        memcpy(kept, page, PAGE_SIZE);
        printf(" page %08x", crc(page));
        fflush(stdout);
        answer = tmem_put(store, client, pool, call->oid, call->index, page);
        damaged = memcmp(kept, page, PAGE_SIZE) || !filled(outgoing, GUARD) || !filled(page + PAGE_SIZE, GUARD);
        break;
    }
    case GET:
        page = incoming + GUARD;
        memset(incoming, FILL, sizeof incoming);
        answer = tmem_get(store, client, pool, call->oid, call->index, page);
        damaged = !filled(incoming, GUARD) || !filled(page + PAGE_SIZE, GUARD) ||
                  (answer != 1 && !filled(page, PAGE_SIZE));
        break;
    case FLUSH_PAGE: answer = tmem_flush_page(store, client, pool, call->oid, call->index); break;
    case FLUSH_OBJECT: answer = tmem_flush_object(store, client, pool, call->oid); break;
#ifdef RECLAIMS
    case RECLAIM: answer = tmem_reclaim(store, call->pages); break;
#endif
#ifdef TELLS
    case POOL_FLAGS: answer = tmem_pool_flags(store, client, pool); break;
#endif
    default: tmem_close(store); break;
    }
    if (call->method == GET && answer == 1)
        printf(" -> page %08x\n", crc(page));
    else
        printf(" -> %lld\n", (long long)answer);
    if (damaged)
        printf("It wrote where it must not write.\n");
    return answer;
}

UNUSED static int is_page(const struct page *page)
{
    static unsigned char wanted[PAGE_SIZE];
    fill(page, wanted);
    return memcmp(wanted, incoming + GUARD, PAGE_SIZE) == 0;
}

UNUSED static void check(const struct call *call)
{
    int64_t answer = make(call);
    int as_in_run = call->made ? answer >= 0 : answer == call->came && (!call->hit || is_page(&call->came_page));
    if (!as_in_run || damaged) {
        printf("In the run that found the violation it was %s%lld: this run shows nothing.\n",
               call->hit ? "another page, " : "", (long long)call->came);
        leave(SHOWS_NOTHING);
    }
    if (call->made)
        ids[made++] = (int32_t)answer;
}
