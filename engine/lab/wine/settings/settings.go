// Package settings is what a Wine guest is told at its start, by the test to the program inside.
package settings

// Settings travel as a JSON file.
type Settings struct {
	Addr             string            // where WS-Management listens, host:port
	Users            map[string]string // name → password
	Basic            bool
	Certificate, Key string // PEM texts; empty: http
	Keytab           string // a file as Windows names it, with the keys of this host in a Kerberos realm; empty: in none
}
