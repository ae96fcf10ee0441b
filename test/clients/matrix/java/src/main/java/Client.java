import io.modelcontextprotocol.client.McpClient;
import io.modelcontextprotocol.client.McpSyncClient;
import io.modelcontextprotocol.client.transport.HttpClientSseClientTransport;
import io.modelcontextprotocol.client.transport.HttpClientStreamableHttpTransport;
import io.modelcontextprotocol.json.McpJsonDefaults;
import io.modelcontextprotocol.spec.McpClientTransport;
import io.modelcontextprotocol.spec.McpSchema.CallToolRequest;
import io.modelcontextprotocol.spec.McpSchema.ClientCapabilities;
import io.modelcontextprotocol.spec.McpSchema.CreateMessageResult;
import io.modelcontextprotocol.spec.McpSchema.ElicitResult;
import io.modelcontextprotocol.spec.McpSchema.Role;
import io.modelcontextprotocol.spec.McpSchema.TextContent;
import io.modelcontextprotocol.spec.McpSchema.Tool;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** The Java SDK against one lane of the server; it prints what it sees as one line of JSON. */
public final class Client {
  public static void main(String[] args) throws Exception {
    URI url = URI.create(args[args.length - 2]);
    boolean isSse = args[args.length - 1].equals("sse");
    String base = url.resolve("/").toString();
    McpClientTransport transport =
        isSse
            ? HttpClientSseClientTransport.builder(base).sseEndpoint(url.getPath()).build()
            : HttpClientStreamableHttpTransport.builder(base).endpoint(url.getPath()).build();

    List<Double> progress = new CopyOnWriteArrayList<>();
    McpSyncClient client =
        McpClient.sync(transport)
            .capabilities(ClientCapabilities.builder().elicitation().sampling().build())
            .elicitation(
                request ->
                    ElicitResult.builder(ElicitResult.Action.ACCEPT).content(Map.of("answer", "blue")).build())
            .sampling(request -> CreateMessageResult.builder(Role.ASSISTANT, "tides", "test").build())
            .progressConsumer(part -> progress.add(part.progress()))
            .build();

    Map<String, Object> sighting = new LinkedHashMap<>();
    client.initialize();
    sighting.put("version", McpClient.class.getPackage().getImplementationVersion());
    sighting.put("tools", client.listTools().tools().stream().map(Tool::name).toList());
    sighting.put("sum", call(client, "add", Map.of("a", 25, "b", 25)));
    sighting.put("countdown", call(client, "countdown", Map.of("from", 3, "stepMs", 50)));
    sighting.put("progress", progress);
    sighting.put("answer", call(client, "ask", Map.of("question", "Which colour?")));
    sighting.put("sampled", call(client, "sample", Map.of("prompt", "What moves the sea?")));
    System.out.println(McpJsonDefaults.getMapper().writeValueAsString(sighting));
    client.closeGracefully();
  }

  private static String call(McpSyncClient client, String name, Map<String, Object> arguments) {
    CallToolRequest request = CallToolRequest.builder(name).arguments(arguments).progressToken(name).build();
    return ((TextContent) client.callTool(request).content().get(0)).text();
  }
}
