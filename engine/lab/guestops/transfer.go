package guestops

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Path is where the URLs of files lead.
const Path = "/guestFile"

// good is how long a URL may be used.
const good = 10 * time.Minute

// transfer is what a URL is good for, once.
type transfer struct {
	seat
	token, path   string
	up, overwrite bool
	size          int64
	until         time.Time
	busy          bool
}

func (t *Tools) open(x *transfer) string {
	x.token, x.until = rand.Text(), time.Now().Add(max(t.cfg.Clock.Real(good), least))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	id := strconv.Itoa(t.last)
	t.transfers[id] = x
	for id, old := range t.transfers {
		if time.Now().After(old.until) {
			delete(t.transfers, id)
		}
	}
	host := t.cfg.Transfer
	if host == "" {
		host = "*"
	}
	return "https://" + host + Path + "?" + url.Values{"id": {id}, "token": {x.token}}.Encode()
}

// Open is how many URLs were given out and not used, and not yet old.
func (t *Tools) Open() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.transfers)
}

// ServeHTTP hands a file over: GET from the guest, PUT to it.
func (t *Tools) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("id")
	x := t.take(id, r.URL.Query().Get("token"), r.Method)
	if x == nil {
		http.Error(w, "the URL is not known, used, or too old", http.StatusNotFound)
		return
	}
	done := false
	defer func() { t.used(id, done) }()
	if x.System.Boot() == nil {
		http.Error(w, "the guest does not answer", http.StatusInternalServerError)
		return
	}
	if x.up {
		done = x.receive(w, r)
		return
	}
	data, err := x.System.Read(x.path)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	n, err := w.Write(data)
	done = err == nil && n == len(data)
}

// take reserves a transfer: several requests at once are not allowed.
func (t *Tools) take(id, token, method string) *transfer {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.transfers[id]
	if x == nil || x.busy || time.Now().After(x.until) || subtle.ConstantTimeCompare([]byte(token), []byte(x.token)) != 1 ||
		x.up != (method == http.MethodPut) || !x.up && method != http.MethodGet {
		return nil
	}
	x.busy = true
	return x
}

func (t *Tools) used(id string, done bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x := t.transfers[id]; x != nil {
		if x.busy = false; done {
			delete(t.transfers, id)
		}
	}
}

func (x *transfer) receive(w http.ResponseWriter, r *http.Request) (done bool) {
	data, err := io.ReadAll(io.LimitReader(r.Body, x.size+1))
	if err == nil && int64(len(data)) != x.size {
		err = fmt.Errorf("%d bytes were announced, %d came", x.size, len(data))
	}
	if err == nil {
		err = x.System.Write(x.path, data, x.overwrite)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return false
	}
	x.record(x.user, fmt.Sprintf("upload %s (%d bytes)", x.path, len(data)), !x.System.Scratch(x.path))
	return true
}
