// Package bucket keeps files in Amazon S3: the simulation.Files of a
// deployment. It knows neither what is in them nor what for.
package bucket

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Bucket is one bucket.
type Bucket struct {
	client *s3.Client
	name   string
}

// patience is how long one file may take: they are megabytes, where the times
// of a function's other calls are made for kilobytes.
const patience = 5 * time.Minute

// New is the bucket of a name.
func New(cfg aws.Config, name string) *Bucket {
	return &Bucket{s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.HTTPClient = awshttp.NewBuildableClient().WithTimeout(patience)
	}), name}
}

// Put writes a file whole, in the place of one of that name.
func (b *Bucket) Put(ctx context.Context, name string, body []byte) error {
	if _, err := b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.name, Key: &name, Body: bytes.NewReader(body)}); err != nil {
		return fmt.Errorf("put %s: %w", name, err)
	}
	return nil
}

// Get reads a file whole.
func (b *Bucket) Get(ctx context.Context, name string) ([]byte, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &name})
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", name, err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", name, err)
	}
	return body, nil
}

// List answers all names that begin with prefix, in order.
func (b *Bucket) List(ctx context.Context, prefix string) ([]string, error) {
	var names []string
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", prefix, err)
		}
		for _, o := range page.Contents {
			names = append(names, aws.ToString(o.Key))
		}
	}
	return names, nil
}
