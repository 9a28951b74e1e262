#ifndef CORACLE_CLI_TEMPLATE_LEX_H
#define CORACLE_CLI_TEMPLATE_LEX_H
/* Words of a template. Spaces between words are words, too: they part arguments. */
#include "base/text.h"

enum token_type {
        TOKEN_ERROR, /* `text` says what is wrong */
        TOKEN_BOOL,
        TOKEN_CHAR, /* one that has no other meaning, such as a comma */
        TOKEN_CHAR_CONSTANT,
        TOKEN_ASSIGN,  /* = */
        TOKEN_DECLARE, /* := */
        TOKEN_END_OF_TEXT,
        TOKEN_FIELD, /* ".Name" */
        TOKEN_IDENTIFIER,
        TOKEN_LEFT, /* {{ */
        TOKEN_LEFT_PAREN,
        TOKEN_NUMBER,
        TOKEN_PIPE,
        TOKEN_RAW_STRING,
        TOKEN_RIGHT, /* }} */
        TOKEN_RIGHT_PAREN,
        TOKEN_SPACE,
        TOKEN_STRING,
        TOKEN_TEXT,     /* outside of actions */
        TOKEN_VARIABLE, /* "$" or "$name" */
        TOKEN_KEYWORD,  /* all from here on */
        TOKEN_BLOCK,
        TOKEN_BREAK,
        TOKEN_CONTINUE,
        TOKEN_DEFINE,
        TOKEN_DOT, /* "." */
        TOKEN_ELSE,
        TOKEN_END,
        TOKEN_IF,
        TOKEN_NIL,
        TOKEN_RANGE,
        TOKEN_TEMPLATE,
        TOKEN_WITH,
};

struct token {
        enum token_type type;
        size_t pos; /* in the template */
        unsigned line;
        const char *text; /* @n bytes within the template */
        size_t n;
};

struct lexer {
        const char *text;
        size_t len, pos, start;
        unsigned line, start_line;
        unsigned parens;
        bool inside, ended;
        char message[120]; /* of TOKEN_ERROR */
};

void lexer_init(struct lexer *l, const char *text, size_t len);
/* lexer_next() - after an error or the end there is nothing but the end */
struct token lexer_next(struct lexer *l);

#endif
