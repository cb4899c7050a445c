package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"rapport/internal/bench"
	"rapport/internal/channels/email"
	"rapport/internal/sender"
)

// benchDomain is the domain that signs in benches: that of their shop.
const benchDomain = "shop.example"

// signedCarrier sends to the mail server at the address, with both signatures of a
// domain whose keys are made for it. Their records are as a name server would give
// them back.
func signedCarrier(addr string) (_ bench.Carrier, err error) {
	dir, err := os.MkdirTemp("", "rapport-bench-keys-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	book, err := sender.Open(dir, []byte("the secret of a bench"), time.Now)
	if err != nil {
		return nil, err
	}
	d, err := book.Add(sender.Domain{Name: benchDomain, Hosts: []string{"192.0.2.25"}})
	if err != nil {
		return nil, err
	}
	if _, err := book.Check(context.Background(), published(d.Records("")), benchDomain); err != nil {
		return nil, err
	}
	c, err := email.New(email.Options{Addr: addr, Sign: book.Sign})
	if err != nil {
		return nil, err
	}
	return &keyed{c, dir}, nil
}

// keyed is a carrier with a folder of keys that goes with it.
type keyed struct {
	*email.Channel
	dir string
}

// Close closes the connections and removes the keys.
func (k *keyed) Close() error { return errors.Join(k.Channel.Close(), os.RemoveAll(k.dir)) }

// published answers as a name server that has the records.
type published []sender.Record

// LookupTXT returns the records of the name.
func (p published) LookupTXT(_ context.Context, name string) ([]string, error) {
	for _, r := range p {
		if r.Name == name || r.Name+"." == name {
			return []string{r.Value}, nil
		}
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// LookupMX knows of none.
func (p published) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// LookupNetIP knows of none.
func (p published) LookupNetIP(_ context.Context, _, name string) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}
