#include "sfu/config_keys.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The file: every scalar is read as text, so that file, environment and flags share one reader. */

struct file_value {
    char *text;     /* NULL: not in the file */
    char **entries; /* of a list */
    uint32_t n_entries;
};

struct file_values {
    struct file_value of[CONFIG_MAX_KEYS];
};

struct yaml_complaint {
    char what[200];
    int line; /* 0: not told */
};

/* libcyaml says what is wrong first, then where from the inside out: keep the first of both. The
 * line is that of the last thing it took in. */
static void keep_complaint(cyaml_log_t level, void *owner, const char *format, va_list args)
    __attribute__((__format__(__printf__, 3, 0)));

static void keep_complaint(cyaml_log_t level, void *owner, const char *format, va_list args)
{
    struct yaml_complaint *complaint = owner;
    char line[sizeof(complaint->what)];
    const char *start = line;

    if (level < CYAML_LOG_ERROR)
        return;
    (void)vsnprintf(line, sizeof(line), format, args);
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(start, "Load: ", 6) == 0)
        start += 6;
    if (!complaint->what[0])
        (void)snprintf(complaint->what, sizeof(complaint->what), "%s", start);
    else if (!complaint->line && strstr(start, "line: "))
        complaint->line = (int)strtol(strstr(start, "line: ") + 6, NULL, 10);
}

static const cyaml_schema_value_t text_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CONFIG_PATH_MAX),
};

/* The schema of the file, from the table of keys. */
static void make_fields(cyaml_schema_field_t fields[CONFIG_MAX_KEYS + 1])
{
    static const cyaml_schema_field_t list = CYAML_FIELD_SEQUENCE_COUNT(
        "", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_value, entries, n_entries,
        &text_schema, 0, CONFIG_LIST_MAX);
    static const cyaml_schema_field_t scalar = CYAML_FIELD_STRING_PTR(
        "", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct file_value, text, 0, CONFIG_PATH_MAX);

    for (size_t i = 0; i < config_n_keys; i++) {
        uint32_t at = (uint32_t)(i * sizeof(struct file_value));

        fields[i] = config_keys[i].type == KEY_LIST ? list : scalar;
        fields[i].key = config_keys[i].name;
        fields[i].data_offset += at;
        fields[i].count_offset += at;
    }
    fields[config_n_keys] = (cyaml_schema_field_t)CYAML_FIELD_END;
}

/* A list in the file replaces what was there. */
static int apply_value(struct config *c, const struct config_key *key,
                       const struct file_value *value, struct config_error *error)
{
    int err = 0;

    if (value->text)
        err = config_set(c, key->name, value->text, error);
    if (value->n_entries)
        config_clear_list(c, key);
    for (uint32_t i = 0; i < value->n_entries && err == 0; i++)
        err = config_set(c, key->name, value->entries[i], error);
    return err;
}

static int apply_values(struct config *c, const struct file_values *values, const char *path,
                        struct config_error *error)
{
    struct config_error inner;

    for (size_t i = 0; i < config_n_keys; i++) {
        if (apply_value(c, &config_keys[i], &values->of[i], &inner) < 0)
            return config_fail(error, "%s: %.300s", path, inner.message);
    }
    return 0;
}

int config_read_file(struct config *c, const char *path, struct config_error *error)
{
    cyaml_schema_field_t fields[CONFIG_MAX_KEYS + 1];
    const cyaml_schema_value_t top = {
        CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file_values, fields)};
    struct yaml_complaint complaint = {0};
    const cyaml_config_t yaml = {
        .log_fn = keep_complaint,
        .log_ctx = &complaint,
        .log_level = CYAML_LOG_ERROR,
        .mem_fn = cyaml_mem,
        .flags = CYAML_CFG_NO_ALIAS,
    };
    cyaml_data_t *values = NULL;
    cyaml_err_t problem;
    int err;

    make_fields(fields);
    problem = cyaml_load_file(path, &yaml, &top, &values, NULL);
    if (problem == CYAML_ERR_FILE_OPEN)
        return config_fail(error, "%s: cannot be read: %s", path, strerrordesc_np(errno));
    if (problem != CYAML_OK)
        return config_fail(error, "%s, near line %d: %s", path, complaint.line ? complaint.line : 1,
                           complaint.what[0] ? complaint.what : cyaml_strerror(problem));
    err = values ? apply_values(c, values, path, error) : 0;
    (void)cyaml_free(&yaml, &top, values, 0);
    return err;
}
