// Command lambda is the function imports.
package main

import (
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"regulars/functions/gateway"
	"regulars/functions/imports"
	"regulars/shared/table/dynamo"
	"regulars/shared/web"
)

// life is how long an address is good; the credentials that sign it last longer.
const life = time.Hour

func main() {
	client := s3.NewPresignClient(s3.NewFromConfig(dynamo.Config(os.Getenv), func(o *s3.Options) {
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired // whoever uploads has the file, we do not
	}), s3.WithPresignExpires(life))
	bucket := os.Getenv("UPLOADS")
	gateway.Serve(func(g *web.Gate) web.Routes {
		h := &imports.Handler{Gate: g, Upload: func(r *http.Request, name string) (imports.Upload, error) {
			signed, err := client.PresignPutObject(r.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &name})
			if err != nil {
				return imports.Upload{}, err
			}
			return imports.Upload{URL: signed.URL, Method: signed.Method, ExpiresAt: time.Now().Add(life).UTC().Truncate(time.Second)}, nil
		}}
		return h.Routes()
	})
}
