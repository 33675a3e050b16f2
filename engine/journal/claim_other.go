//go:build !unix

package journal

import "os"

// claim: other systems have what the journal says of its process.
func claim(*os.File) error { return nil }
