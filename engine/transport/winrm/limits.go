package winrm

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/dsplay/dsplay/engine"
)

const (
	// envelopeSize is the default of the oldest hosts (MaxEnvelopeSizekb = 150) for what they take and answer with; since
	// Windows 8 and Server 2012 it is 500.
	envelopeSize = 153600
	// largest is the most that is asked for, whatever a host allows.
	largest = 2 << 20
	// header is what an envelope needs besides the bytes it carries.
	header = 3000
	// smallest is the least part of stdin that is tried.
	smallest = 1 << 10
)

// limits are what is known of a host's: the default until it says otherwise.
type limits struct {
	mu       sync.Mutex
	envelope int // bytes of a message
	asked    bool
}

// size is the most that a message may have.
func (l *limits) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.envelope
}

// chunk is how much of stdin one message may carry: in base64 it has to fit.
func (l *limits) chunk() int { return max(smallest, (l.size()-header)/4*3) }

// shrink halves the size after a message that carried n bytes of stdin was too large; false: it can be no smaller.
func (l *limits) shrink(n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.envelope = min(l.envelope, n/2/3*4+header)
	return n > smallest
}

// learn asks the host once how large a message may be. An account that may not know gets a fault; then nothing is learnt.
func (c *conn) learn(ctx context.Context) {
	l := &c.limits
	l.mu.Lock()
	asked := l.asked
	l.asked = true
	l.mu.Unlock()
	if asked {
		return
	}
	a, err := c.call(ctx, config())
	if err != nil || a.EnvelopeKB <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.envelope = min(max(a.EnvelopeKB<<10, smallest+header), largest)
}

// tooLarge is an answer that says that the message was too large, so that nothing of it was read: 413, which http.sys gives
// before the service sees the request, or a fault about its size.
func tooLarge(err error) bool {
	var f *Fault
	return errors.Is(err, errTooLarge) || errors.As(err, &f) && (f.Code == codeTooLarge || f.Subcode == subcodeEncoding)
}

var errTooLarge = errors.New("the message is too large for the host")

func (c *conn) oversized() error {
	return &engine.Error{Kind: engine.KindProtocol, Host: c.pool.dialer.host, Op: c.pool.dialer.op(), Err: errTooLarge,
		Hint: "raise it on the host: winrm set winrm/config @{MaxEnvelopeSizekb=\"500\"}"}
}

// call sends one message and waits for its answer, as ask does. What the host refuses because too much goes on there (a
// quota of shells, processes or operations) was not done; it is asked again, with growing pauses, for as long as
// operation_timeout.
func (c *conn) call(ctx context.Context, m message) (*answer, error) {
	return c.callFor(ctx, m, c.operation)
}

// callFor is call for a message that the host may hold for so long.
func (c *conn) callFor(ctx context.Context, m message, hold time.Duration) (*answer, error) {
	wait := newQuotaWait(c.operation)
	for {
		a, err := c.askFor(ctx, m, hold)
		if !overQuota(err) || !wait.more(ctx) {
			return a, err
		}
	}
}

// quotaWait is how long a quota is waited for.
type quotaWait struct {
	end   time.Time
	pause time.Duration
}

func newQuotaWait(d time.Duration) *quotaWait { return &quotaWait{time.Now().Add(d), pace} }

// more waits, longer each time and never as long as others do; false: enough.
func (p *quotaWait) more(ctx context.Context) bool {
	jittered := p.pause/2 + rand.N(p.pause)
	p.pause = min(2*p.pause, 2*time.Second)
	return time.Now().Add(jittered).Before(p.end) && engine.Wait(ctx, jittered) == nil
}

func overQuota(err error) bool {
	var f *Fault
	return errors.As(err, &f) && f.Status == http.StatusInternalServerError && f.Subcode == subcodeQuotaLimit
}
