package ssh

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// agentConn is a connection to an SSH agent, and what the agent had when it was asked.
type agentConn struct {
	conn  io.Closer
	limit *time.Timer
	keys  []agentKey
}

type agentKey struct {
	name   string // its comment
	public ssh.PublicKey
	signer ssh.Signer
}

// windowsPipe is where the agent of Windows' OpenSSH listens.
const windowsPipe = `\\.\pipe\openssh-ssh-agent`

// agentAddress is where the agent listens, by what IdentityAgent of ssh_config(5) may say; "": nowhere.
func agentAddress(socket string) string {
	if socket == "" || socket == "SSH_AUTH_SOCK" {
		socket = "$SSH_AUTH_SOCK"
	}
	name, ok := strings.CutPrefix(socket, "$")
	if ok {
		socket = os.Getenv(strings.Trim(name, "{}"))
	}
	switch {
	case socket == "none":
		return ""
	case socket == "" && name == "SSH_AUTH_SOCK" && runtime.GOOS == "windows":
		return windowsPipe
	}
	return engine.AtHome(socket)
}

// askAgent lists the keys of the agent; without one it returns an error that says so. An agent that hangs, or asks a
// person and gets no answer, is cut off after patience, which has to do for everything that is asked of it.
func askAgent(socket string, patience time.Duration) (*agentConn, error) {
	address := agentAddress(socket)
	if address == "" {
		return nil, errors.New("there is no agent: SSH_AUTH_SOCK is not set, or the agent is switched off")
	}
	conn, err := dialAgent(address, patience)
	if err != nil {
		return nil, fmt.Errorf("the agent does not answer: %w", err)
	}
	a := &agentConn{conn: conn, limit: time.AfterFunc(patience, func() { conn.Close() })}
	// Only one request at a time: a pipe of Windows cannot be read and written at once.
	client := agent.NewClient(struct{ io.ReadWriter }{conn})
	listed, err := client.List()
	if err != nil {
		a.close()
		return nil, fmt.Errorf("the agent at %s does not list its keys: %w", address, err)
	}
	signers, err := client.Signers()
	if err != nil || len(signers) != len(listed) {
		a.close()
		return nil, fmt.Errorf("the agent at %s does not list its keys: %w", address, err)
	}
	for i, key := range listed {
		a.keys = append(a.keys, agentKey{name: key.Comment, public: known(key), signer: signers[i]})
	}
	return a, nil
}

// known is the key as the library knows it, which can tell a certificate; or just its bytes.
func known(key *agent.Key) ssh.PublicKey {
	if public, err := ssh.ParsePublicKey(key.Blob); err == nil {
		return public
	}
	return key
}

func dialAgent(address string, patience time.Duration) (io.ReadWriteCloser, error) {
	if strings.HasPrefix(address, `\\.\pipe\`) || strings.HasPrefix(address, "//./pipe/") {
		return os.OpenFile(address, os.O_RDWR, 0)
	}
	return net.DialTimeout("unix", address, patience)
}

// close may be called on nil.
func (a *agentConn) close() {
	if a != nil {
		a.limit.Stop()
		a.conn.Close()
	}
}

// find returns who can sign for a key, or nil: the key itself rather than a certificate of it.
func (a *agentConn) find(key ssh.PublicKey) *agentKey {
	if a == nil {
		return nil
	}
	var found *agentKey
	for i := range a.keys {
		switch k := &a.keys[i]; {
		case same(k.public, key):
			return k
		case same(bare(k.public), key):
			found = k
		}
	}
	return found
}

func same(a, b ssh.PublicKey) bool { return string(a.Marshal()) == string(b.Marshal()) }
