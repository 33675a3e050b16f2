package moduletest

import (
	"context"
	"sync"

	"github.com/dsplay/dsplay/engine"
)

// APIHost is a host that has an API and no shell, for tests that speak with a server and are no case files. Like a host in
// a pass it remembers what Once has found, but no failure.
type APIHost struct {
	engine.Machine // nil: whatever else is asked of it panics

	name string
	api  engine.API
	mu   sync.Mutex
	memo map[string]any
}

// OnAPI is a host of this name that is reached over api.
func OnAPI(name string, api engine.API) *APIHost {
	return &APIHost{name: name, api: api, memo: map[string]any{}}
}

// Name is its name.
func (h *APIHost) Name() string { return h.name }

// API is the connection.
func (h *APIHost) API(context.Context) (engine.API, error) { return h.api, nil }

// Once calls f for a key until it succeeds, one call at a time.
func (h *APIHost) Once(ctx context.Context, key string, f func(context.Context) (any, error)) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if v, ok := h.memo[key]; ok {
		return v, nil
	}
	v, err := f(ctx)
	if err == nil {
		h.memo[key] = v
	}
	return v, err
}

// Forget ends what it remembers, as a new pass does, and a step that has acted.
func (h *APIHost) Forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.memo)
}
