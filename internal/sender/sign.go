package sender

import (
	"bytes"
	"crypto"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"rapport/internal/fault"
)

// signer is the parsed generation that signs for a domain.
type signer struct {
	options [2]dkim.SignOptions // RSA, then Ed25519
	none    bool                // no generation is in DNS yet
}

// once are the headers that are signed, each once more than it occurs: a second
// one that is added on the way breaks the signature.
var once = []string{
	"From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
	"List-Unsubscribe", "List-Unsubscribe-Post", "List-ID", "Feedback-ID", "CFBL-Address",
}

// Sign returns the headers to put before a mail: its signatures by the domain,
// RSA first, relaxed in header and body, over the whole body. It returns nothing
// for a domain that is not known or whose keys were not yet seen in DNS: a
// signature that nobody can check is worse than none.
func (b *Book) Sign(domain string, mail []byte) ([]byte, error) {
	s, err := b.signer(domain)
	if err != nil || s.none {
		return nil, err
	}
	keys := headerKeys(mail)
	var out []byte
	for i := range s.options {
		o := s.options[i]
		o.HeaderKeys = keys
		d, err := dkim.NewSigner(&o)
		if err != nil {
			return nil, err
		}
		if _, err := d.Write(mail); err != nil {
			d.Close()
			return nil, err
		}
		if err := d.Close(); err != nil {
			return nil, err
		}
		out = append(out, d.Signature()...)
	}
	return out, nil
}

// headerKeys returns the names to sign: each as often as it is there and once more.
func headerKeys(mail []byte) []string {
	head, _, _ := bytes.Cut(mail, []byte("\r\n\r\n"))
	keys := make([]string, 0, 2*len(once))
	count := map[string]int{}
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if name, _, ok := bytes.Cut(line, []byte(":")); ok && len(line) > 0 && line[0] != ' ' && line[0] != '\t' {
			count[strings.ToLower(string(name))]++
		}
	}
	for _, name := range once {
		for range count[strings.ToLower(name)] + 1 {
			keys = append(keys, name)
		}
	}
	return keys
}

func (b *Book) signer(domain string) (*signer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.fresh(); err != nil {
		return nil, err
	}
	if s := b.signers[domain]; s != nil {
		return s, nil
	}
	s, err := b.makeSigner(domain)
	if err != nil {
		return nil, err
	}
	b.signers[domain] = s
	return s, nil
}

func (b *Book) makeSigner(domain string) (*signer, error) {
	d, err := find(b.domains, domain)
	if fault.Is(err, fault.NotFound) {
		return &signer{none: true}, nil
	}
	k := d.Signs()
	if k == nil {
		return &signer{none: true}, nil
	}
	rsaKey, edKey, err := b.seal.signers(domain, k)
	if err != nil {
		return nil, err
	}
	s := &signer{}
	rsaName, edName := d.Selectors(k)
	for i, with := range []struct {
		selector string
		key      crypto.Signer
	}{{rsaName, rsaKey}, {edName, edKey}} {
		s.options[i] = dkim.SignOptions{
			Domain: domain, Selector: with.selector, Signer: with.key, Hash: crypto.SHA256,
			HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		}
	}
	return s, nil
}
