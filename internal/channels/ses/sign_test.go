package ses_test

import (
	"net/http"
	"testing"
	"time"

	"rapport/internal/channels/ses"
)

// The cases get-vanilla and post-vanilla of the test suite that AWS publishes for
// Signature Version 4.
func TestTheSignatureIsThatOfTheSuiteOfAWS(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{
		"GET":  "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		"POST": "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
	} {
		r, err := http.NewRequestWithContext(t.Context(), method, "https://example.amazonaws.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		ses.Sign(ses.Credentials{ID: keyID, Secret: secret}, "us-east-1", "service", r, nil, time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC))
		full := "AWS4-HMAC-SHA256 Credential=" + keyID + "/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + want
		if got := r.Header.Get("Authorization"); got != full {
			t.Errorf("%s: %s, want %s", method, got, full)
		}
	}
}
