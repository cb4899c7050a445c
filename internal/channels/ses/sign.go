package ses

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"rapport/internal/channels/provider"
)

// Credentials are an IAM user's or role's keys.
type Credentials struct {
	ID     string          // access key id
	Secret provider.Secret // secret access key
	Token  provider.Secret // session token of a role; empty for a user
}

// signer makes Signature Version 4 of AWS.
type signer struct {
	Credentials
	region, service string
}

// The forms of time in a signature.
const (
	amzDate = "20060102T150405Z"
	amzDay  = "20060102"
)

// sign adds the headers that prove who asks, for this body at this instant. The
// path must hold nothing that needs escaping.
func (s *signer) sign(r *http.Request, body []byte, now time.Time) {
	now = now.UTC()
	r.Header.Set("X-Amz-Date", now.Format(amzDate))
	if s.Token != "" {
		r.Header.Set("X-Amz-Security-Token", string(s.Token))
	}
	// What changes the meaning of the request is signed; what proxies may touch is not.
	signed := []string{"host", "x-amz-date"}
	for _, name := range []string{"content-type", "x-amz-security-token"} {
		if r.Header.Get(name) != "" {
			signed = append(signed, name)
		}
	}
	slices.Sort(signed)
	var canonical strings.Builder
	canonical.WriteString(r.Method + "\n" + r.URL.EscapedPath() + "\n" + r.URL.RawQuery + "\n")
	for _, name := range signed {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.URL.Host
		}
		canonical.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	names := strings.Join(signed, ";")
	canonical.WriteString("\n" + names + "\n" + digest(body))

	scope := now.Format(amzDay) + "/" + s.region + "/" + s.service + "/aws4_request"
	text := "AWS4-HMAC-SHA256\n" + now.Format(amzDate) + "\n" + scope + "\n" + digest([]byte(canonical.String()))
	key := []byte("AWS4" + string(s.Secret))
	for _, part := range []string{now.Format(amzDay), s.region, s.service, "aws4_request"} {
		key = mac(key, part)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+s.ID+"/"+scope+", SignedHeaders="+names+", Signature="+hex.EncodeToString(mac(key, text)))
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
