//go:build lab

package main

// everyCell makes the matrix whole: each row in every cell.
const everyCell = true
