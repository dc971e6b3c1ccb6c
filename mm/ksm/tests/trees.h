/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is it a red-black tree?  Found through any of its nodes, since the roots are
 * private to their files.
 */
#ifndef _MM_KSM_TESTS_TREES_H
#define _MM_KSM_TESTS_TREES_H

#include <linux/rbtree_augmented.h>

static inline struct rb_node *tree_root(struct rb_node *rb)
{
	while (rb_parent(rb))
		rb = rb_parent(rb);
	return rb;
}

/*
 * Black height of a subtree, negative if it is no red-black tree, adds the
 * number of its nodes to *@nr.
 */
static inline int tree_height(const struct rb_node *rb, unsigned int *nr)
{
	const struct rb_node *child[2];
	int height[2], i;

	if (!rb)
		return 0;
	(*nr)++;
	child[0] = rb->rb_left;
	child[1] = rb->rb_right;
	for (i = 0; i < 2; i++) {
		if (child[i] && rb_parent(child[i]) != rb)
			return -1;
		if (child[i] && rb_is_red(rb) && rb_is_red(child[i]))
			return -1;
		height[i] = tree_height(child[i], nr);
	}
	if (height[0] < 0 || height[0] != height[1])
		return -1;
	return height[0] + rb_is_black(rb);
}

#endif /* _MM_KSM_TESTS_TREES_H */
