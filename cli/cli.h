/* SPDX-License-Identifier: GPL-2.0-only */
/* The verbs of ip-takeover: argv[0] is the verb; the exit status is returned. */
#ifndef CLI_H
#define CLI_H

int cli_status(int argc, char **argv);
int cli_claim(int argc, char **argv);
int cli_withdraw(int argc, char **argv);
int cli_rollback(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_clean(int argc, char **argv);

#endif
