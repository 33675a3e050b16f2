package dsm

import (
	"context"
	"time"

	"github.com/dsplay/dsplay/engine"
)

// Greeting is what a login to a DSM tells.
type Greeting struct {
	API     string // "rest" or "soap"
	Version string // X-DSM-Version; empty over SOAP
	// Skew is how far the DSM's clock is ahead of ours; 0 when it is only seconds.
	Skew time.Duration
}

// Hello logs in as Fetch does, and reads no more than one computer.
func Hello(ctx context.Context, api engine.API) (Greeting, error) {
	d, err := choose(ctx, api,
		func(ctx context.Context, api engine.API) (*Directory, error) {
			_, header, err := searchAfter(ctx, api, 0, 1)
			if err != nil {
				return nil, err
			}
			return newDirectory("rest", header.Get("X-DSM-Version"), skew(header, time.Now()), nil), nil
		},
		func(ctx context.Context, api engine.API) (*Directory, error) {
			s := &soap{api: api}
			if _, err := s.session(ctx); err != nil {
				return nil, err
			}
			return newDirectory("soap", "", s.skew(), nil), nil
		})
	if err != nil {
		return Greeting{}, err
	}
	return Greeting{d.API, d.Version, d.Skew}, nil
}
