package wsman

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const configURI = "http://schemas.microsoft.com/wbem/wsman/1/config"

// config is what winrm get winrm/config tells an administrator, as far as a client may want to know it.
func (s *Server) config(user string) *reply {
	if slices.Contains(s.opts.Limited, user) {
		return faultReply(faultAccess)
	}
	return ok(nsTransfer+"/GetResponse", fmt.Sprintf(`<cfg:Config xmlns:cfg="%s"><cfg:MaxEnvelopeSizekb>%d</cfg:MaxEnvelopeSizekb><cfg:MaxTimeoutms>60000</cfg:MaxTimeoutms>`+
		`<cfg:Service><cfg:MaxConcurrentOperationsPerUser>%d</cfg:MaxConcurrentOperationsPerUser></cfg:Service>`+
		`<cfg:Winrs><cfg:MaxProcessesPerShell>%d</cfg:MaxProcessesPerShell><cfg:MaxShellsPerUser>%d</cfg:MaxShellsPerUser></cfg:Winrs></cfg:Config>`,
		configURI, s.opts.MaxEnvelope>>10, s.opts.Operations, s.opts.Processes, s.opts.ShellQuota))
}

// operations is how many a user has; the lock is held.
func (s *Server) operations(user string) (n int) {
	for _, sh := range s.shells {
		if sh.user == user {
			n += sh.operations
		}
	}
	return n
}

// use keeps a shell from expiring until the function that it returns is called.
func (s *Server) use(id string) (done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.shells[id]
	if sh == nil {
		return func() {}
	}
	sh.pending++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if sh.pending--; sh.pending == 0 && s.shells[id] == sh {
			sh.expiry.Reset(sh.idle)
		}
	}
}

// expire deletes a shell that nobody has used for its idle time, with what runs in it.
func (s *Server) expire(sh *shell) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shells[sh.id] == sh && sh.pending == 0 {
		sh.end()
		delete(s.shells, sh.id)
	}
}

// Idle are the idle times of the shells that are open.
func (s *Server) Idle() (times []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range s.shells {
		times = append(times, sh.idle)
	}
	return times
}

// timeout reads PT20S, PT0.5S or PT1M; 0 for anything else.
func timeout(text string) time.Duration {
	text, ok := strings.CutPrefix(strings.TrimSpace(text), "PT")
	d, err := time.ParseDuration(strings.ToLower(text))
	if !ok || err != nil {
		return 0
	}
	return max(0, d)
}
