/*
 * Stands in for libFuzzer: feeds every file of the corpus folders named as arguments, and the
 * empty input, to LLVMFuzzerTestOneInput(). Each file is a TAP case.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_FILE_BYTES = 1 << 20 };

static int cases;

static void replay(const uint8_t *data, size_t len, const char *name)
{
    /* A block of exactly this size, so that a read past the end is seen. */
    uint8_t *exact = malloc(len ? len : 1);

    if (!exact)
        abort();
    if (len > 0)
        memcpy(exact, data, len);
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    printf("ok %d - %s\n", ++cases, name);
}

static int replay_file(const char *folder, const char *name)
{
    static uint8_t input[MAX_FILE_BYTES];
    char path[4096];
    FILE *file;
    size_t len;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (!file) {
        printf("not ok %d - %s cannot be read\n", ++cases, path);
        return -1;
    }
    len = fread(input, 1, sizeof(input), file);
    (void)fclose(file);
    replay(input, len, name);
    return 0;
}

static int hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    int err = 0;

    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    replay((const uint8_t *)"", 0, "empty");
    for (int i = 1; i < argc; i++) {
        struct dirent **entries = NULL;
        int n = scandir(argv[i], &entries, hidden, alphasort);

        for (int j = 0; j < n; j++) {
            err |= replay_file(argv[i], entries[j]->d_name);
            free(entries[j]);
        }
        free(entries);
    }
    printf("1..%d\n", cases);
    return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
