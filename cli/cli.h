/* SPDX-License-Identifier: GPL-2.0-only */
/* The verbs of ip-takeover: argv[0] is the verb; the exit status is returned. */
#ifndef CLI_H
#define CLI_H

struct takeover_address;
struct takeover_wire;

int cli_status(int argc, char **argv);
int cli_claim(int argc, char **argv);
int cli_withdraw(int argc, char **argv);
int cli_rollback(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_commit(int argc, char **argv);
int cli_clean(int argc, char **argv);
int cli_arm(int argc, char **argv);
int cli_migrate(int argc, char **argv);
int cli_prepare(int argc, char **argv);
int cli_receive(int argc, char **argv);
int cli_checkpoint(int argc, char **argv);
int cli_receive_checkpoint(int argc, char **argv);
int cli_checkpoints(int argc, char **argv);
int cli_revive(int argc, char **argv);
int cli_facts(int argc, char **argv);
int cli_judge(int argc, char **argv);

/* Ask who else has @address, for @patience_ms. 0: nobody; 1: said who, or why it cannot be
 * asked. */
int cli_probe(struct takeover_wire *wire, const struct takeover_address *address, int patience_ms);

#endif
