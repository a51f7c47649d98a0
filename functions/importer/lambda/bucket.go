package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"regulars/functions/importer"
)

// bucket is where files lie in the cloud.
type bucket struct {
	client *s3.Client
	name   string
}

// Open implements importer.Files.
func (b *bucket) Open(ctx context.Context, name string, from int64) (*importer.File, error) {
	head, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &name})
	var none *types.NotFound
	if errors.As(err, &none) {
		return nil, importer.ErrNoFile
	}
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", name, err)
	}
	tag, size := aws.ToString(head.ETag), aws.ToInt64(head.ContentLength)
	return &importer.File{ReadCloser: &object{b, ctx, name, tag, from, size, nil}, Tag: tag, Size: size}, nil
}

// part is how many bytes are read at once. Rows take longer to take in than
// to read, and S3 closes a connection that is read too slowly.
const part = 1 << 20

// object reads one content of an object, part by part.
type object struct {
	*bucket
	ctx       context.Context
	key, tag  string
	at, size  int64 // what is read of it
	remaining []byte
}

func (o *object) Read(p []byte) (int, error) {
	if len(o.remaining) == 0 {
		if o.at >= o.size {
			return 0, io.EOF
		}
		end := min(o.at+part, o.size)
		out, err := o.client.GetObject(o.ctx, &s3.GetObjectInput{Bucket: &o.name, Key: &o.key, IfMatch: &o.tag, Range: aws.String(fmt.Sprintf("bytes=%d-%d", o.at, end-1))})
		if err != nil {
			return 0, err
		}
		defer out.Body.Close()
		var whole bytes.Buffer
		if _, err := io.Copy(&whole, out.Body); err != nil {
			return 0, err
		}
		if int64(whole.Len()) != end-o.at {
			return 0, io.ErrUnexpectedEOF
		}
		o.remaining, o.at = whole.Bytes(), end
	}
	n := copy(p, o.remaining)
	o.remaining = o.remaining[n:]
	return n, nil
}

func (o *object) Close() error { return nil }
