// The Go SDK against one lane of the server; it prints what it sees as one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	sdk = "github.com/modelcontextprotocol/go-sdk"
	// What the server says after its answer to `later`, and how long to wait for it: far longer than it takes.
	news         = "one more thing"
	newsPatience = 10 * time.Second
	// The revision without sessions, in which nothing can be said after an answer.
	stateless = "2026-07-28"
)

type sighting struct {
	Version   string    `json:"version"`
	Tools     []string  `json:"tools"`
	Sum       string    `json:"sum"`
	Countdown string    `json:"countdown"`
	Progress  []float64 `json:"progress"`
	Later     string    `json:"later"`
	Heard     []string  `json:"heard"`
	Revision  string    `json:"revision"`
	Recalled  string    `json:"recalled"`
	Answer    string    `json:"answer"`
	Sampled   string    `json:"sampled"`
}

func main() {
	url, lane := os.Args[len(os.Args)-2], os.Args[len(os.Args)-1]
	seen, err := look(context.Background(), url, lane)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(seen); err != nil {
		log.Fatal(err)
	}
}

func look(ctx context.Context, url, lane string) (*sighting, error) {
	seen := &sighting{Version: sdkVersion(), Heard: []string{}}
	var told sync.Mutex
	newsCame := make(chan struct{}, 1)
	client := mcp.NewClient(&mcp.Implementation{Name: "go", Version: "1"}, &mcp.ClientOptions{
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"answer": "blue"}}, nil
		},
		CreateMessageHandler: func(context.Context, *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			return &mcp.CreateMessageResult{Role: "assistant", Model: "test", Content: &mcp.TextContent{Text: "tides"}}, nil
		},
		ProgressNotificationHandler: func(_ context.Context, request *mcp.ProgressNotificationClientRequest) {
			told.Lock()
			defer told.Unlock()
			seen.Progress = append(seen.Progress, request.Params.Progress)
		},
		LoggingMessageHandler: func(_ context.Context, request *mcp.LoggingMessageRequest) {
			told.Lock()
			defer told.Unlock()
			seen.Heard = append(seen.Heard, fmt.Sprint(request.Params.Data))
			if request.Params.Data == news {
				newsCame <- struct{}{}
			}
		},
	})
	var transport mcp.Transport = &mcp.StreamableClientTransport{Endpoint: url}
	if lane == "sse" {
		transport = &mcp.SSEClientTransport{Endpoint: url}
	}
	session, err := client.Connect(ctx, transport, nil)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	for tool, err := range session.Tools(ctx, nil) {
		if err != nil {
			return nil, err
		}
		seen.Tools = append(seen.Tools, tool.Name)
	}
	calls := []struct {
		name      string
		arguments map[string]any
		text      *string
	}{
		{"revision", map[string]any{}, &seen.Revision},
		{"add", map[string]any{"a": 25, "b": 25}, &seen.Sum},
		{"countdown", map[string]any{"from": 3, "stepMs": 50}, &seen.Countdown},
		{"later", map[string]any{}, &seen.Later},
		{"remember", map[string]any{"key": "colour", "value": "green"}, new(string)},
		{"recall", map[string]any{"key": "colour"}, &seen.Recalled},
		{"ask", map[string]any{"question": "Which colour?"}, &seen.Answer},
		{"sample", map[string]any{"prompt": "What moves the sea?"}, &seen.Sampled},
	}
	for _, call := range calls {
		params := &mcp.CallToolParams{Name: call.name, Arguments: call.arguments}
		params.SetProgressToken(call.name)
		result, err := session.CallTool(ctx, params)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", call.name, err)
		}
		text, ok := result.Content[0].(*mcp.TextContent)
		if !ok {
			return nil, fmt.Errorf("%s gives no text", call.name)
		}
		*call.text = text.Text
		if call.name == "later" && seen.Revision != stateless {
			select {
			case <-newsCame:
			case <-time.After(newsPatience):
			}
		}
	}
	told.Lock()
	defer told.Unlock()
	return seen, nil
}

func sdkVersion() string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == sdk {
			return dependency.Version
		}
	}
	return ""
}
