package tlspath

import (
	"context"
	"crypto/x509"
	"os"
	"path/filepath"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/tlslook"
	"github.com/dsplay/dsplay/engine/transport/dialer"
)

func (l *look) roots() (*x509.CertPool, error) {
	if l.CA == "" {
		return nil, nil
	}
	file := l.CA
	if !filepath.IsAbs(file) {
		file = filepath.Join(l.dir, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, &engine.Error{Kind: engine.KindModule, Op: "read ca", Err: err}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, &engine.Error{Kind: engine.KindModule, Op: "read ca", Msg: file + " holds no certificate in PEM"}
	}
	return pool, nil
}

func (l *look) fromHere(ctx context.Context, address string, proxied bool, roots *x509.CertPool) (tlslook.Seen, error) {
	o := dialer.Options{}
	if proxied {
		o = l.proxied()
	}
	d, err := dialer.New(o)
	if err != nil {
		return tlslook.Seen{}, err
	}
	return tlslook.At(ctx, d, address, roots), nil
}
