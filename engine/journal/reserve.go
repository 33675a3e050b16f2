package journal

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// reserveSize is room for the ends of some thousand hosts.
const reserveSize = 512 << 10

// keepReserve takes room on the disk that is given back when the disk is full, so that a run can write down how it ended. What is
// in it cannot be compressed.
func keepReserve(dir string) error {
	data := make([]byte, reserveSize)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data) // it does not fail
	if err := os.WriteFile(filepath.Join(dir, reserveFile), data, 0o600); err != nil {
		giveReserve(dir)
		return fmt.Errorf("there is no room to write down how it ends: %w", err)
	}
	return nil
}

func giveReserve(dir string) {
	_ = os.Remove(filepath.Join(dir, reserveFile)) // without it nothing is worse than it was
}
