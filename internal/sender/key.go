package sender

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"strconv"
	"time"

	"rapport/internal/fault"
)

// rsaBits is the size of RSA keys: the least that providers call strong, and the
// most that fits the DNS records of every registrar.
const rsaBits = 2048

// sealed encrypts private keys with a key of the workspace: who reads the file
// alone cannot sign.
type sealed struct{ aead cipher.AEAD }

func newSealed(workspace []byte) (sealed, error) {
	h := hmac.New(sha256.New, workspace)
	h.Write([]byte("signing keys of sending domains\x001"))
	block, err := aes.NewCipher(h.Sum(nil))
	if err != nil {
		return sealed{}, err // unreachable: 32 bytes are a key
	}
	aead, err := cipher.NewGCM(block)
	return sealed{aead}, err
}

// seal binds a secret to the name for which it is.
func (s sealed) seal(name string, secret []byte) (string, error) {
	nonce := make([]byte, s.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(s.aead.Seal(nonce, nonce, secret, []byte(name))), nil
}

func (s sealed) open(name, text string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil && len(b) > s.aead.NonceSize() {
		n := s.aead.NonceSize()
		var secret []byte
		if secret, err = s.aead.Open(nil, b[:n], b[n:], []byte(name)); err == nil {
			return secret, nil
		}
	}
	return nil, fault.Wrap(fault.Corrupt, err, "the signing key of "+name+" cannot be opened with this workspace's key: restore domains.json and workspace.key from one backup, or rotate the keys")
}

// newPair makes a generation of keys.
func (s sealed) newPair(domain string, n int, now time.Time) (Pair, error) {
	k, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return Pair{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return Pair{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		return Pair{}, err
	}
	edPublic, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	p := Pair{N: n, Made: now, RSAPub: base64.StdEncoding.EncodeToString(public), EdPub: base64.StdEncoding.EncodeToString(edPublic)}
	if p.RSA, err = s.seal(domain, private); err != nil {
		return Pair{}, err
	}
	p.Ed25519, err = s.seal(domain, edPrivate.Seed())
	return p, err
}

// signers opens a generation.
func (s sealed) signers(domain string, p *Pair) (rsaKey, edKey crypto.Signer, err error) {
	private, err := s.open(domain, p.RSA)
	if err != nil {
		return nil, nil, err
	}
	k, err := x509.ParsePKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Corrupt, err, "the RSA key of "+domain+" is damaged: restore domains.json from a backup, or rotate the keys")
	}
	seed, err := s.open(domain, p.Ed25519)
	if err != nil {
		return nil, nil, err
	}
	r, ok := k.(*rsa.PrivateKey)
	if !ok || len(seed) != ed25519.SeedSize {
		return nil, nil, fault.New(fault.Corrupt, "the signing keys of "+domain+" are not what they should be: restore domains.json from a backup, or rotate the keys")
	}
	return r, ed25519.NewKeyFromSeed(seed), nil
}

// Record is a DNS record to publish.
type Record struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
	Why   string `json:"why"`
}

// Records returns the DNS records that a domain needs. SPF and DMARC are
// proposals: what stands there already must be kept and added to.
func (d *Domain) Records(mailHost string) []Record {
	var list []Record
	for i := range d.Keys {
		k := &d.Keys[i]
		if !k.Retired.IsZero() {
			continue
		}
		r, e := d.Selectors(k)
		list = append(list,
			Record{r + "._domainkey." + d.Name, "TXT", "v=DKIM1; k=rsa; p=" + k.RSAPub, "the key of the RSA signature"},
			Record{e + "._domainkey." + d.Name, "TXT", "v=DKIM1; k=ed25519; p=" + k.EdPub, "the key of the Ed25519 signature"})
	}
	spf := "v=spf1"
	for _, h := range d.Hosts {
		if ip6(h) {
			spf += " ip6:" + h
		} else {
			spf += " ip4:" + h
		}
	}
	if len(d.Hosts) == 0 {
		spf += " a mx"
	}
	list = append(list, Record{d.Envelope(), "TXT", spf + " ~all", "who may send for the envelope's domain; if there is one already, add to it"})
	seen := map[string]bool{}
	for _, from := range append([]string{d.Name}, d.Froms...) {
		if seen[organisation(from)] {
			continue // two records are as good as none
		}
		seen[organisation(from)] = true
		list = append(list, Record{"_dmarc." + organisation(from), "TXT", "v=DMARC1; p=none; rua=mailto:dmarc@" + organisation(from), "the rule for mail from " + from + "; begin with none, and end with reject"})
	}
	if mailHost != "" {
		list = append(list, Record{d.Envelope(), "MX", "10 " + mailHost + ".", "where bounces come back"})
	}
	return list
}

func itoa(n int) string { return strconv.Itoa(n) }

func ip6(s string) bool {
	for _, c := range s {
		if c == ':' {
			return true
		}
	}
	return false
}

func quoted(s string) string { return strconv.QuoteToASCII(s[:min(len(s), 80)]) }
