// SPDX-License-Identifier: GPL-2.0-only
/*
 * See statics.cc, which is here twice: in a library, and in the program.
 *
 *   statics             under libksm_preload
 *   statics elsewhere   other memory is fine, too: contents are looked at only
 */
void statics_of_library(bool with_library);
void statics_of_program(bool with_library);

int main(int argc, char **)
{
	statics_of_library(argc == 1);
	statics_of_program(argc == 1);
	return 0;
}
