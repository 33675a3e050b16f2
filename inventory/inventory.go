// Package inventory knows who there is: hosts, groups, their attributes and how to reach them, from HCL files
// and from sources that are asked when a run begins.
package inventory
