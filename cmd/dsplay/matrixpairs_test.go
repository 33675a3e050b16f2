//go:build !lab

package main

// everyCell: without the tag lab, which .ci/run gives, each row is tried in one of the cells of pairs.
const everyCell = false
