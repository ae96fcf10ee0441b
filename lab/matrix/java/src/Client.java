import io.modelcontextprotocol.client.McpClient;
import io.modelcontextprotocol.client.McpSyncClient;
import io.modelcontextprotocol.client.transport.HttpClientSseClientTransport;
import io.modelcontextprotocol.client.transport.HttpClientStreamableHttpTransport;
import io.modelcontextprotocol.json.McpJsonMapperSupplier;
import io.modelcontextprotocol.spec.McpClientTransport;
import io.modelcontextprotocol.spec.McpSchema.CallToolRequest;
import io.modelcontextprotocol.spec.McpSchema.ClientCapabilities;
import io.modelcontextprotocol.spec.McpSchema.CreateMessageResult;
import io.modelcontextprotocol.spec.McpSchema.ElicitResult;
import io.modelcontextprotocol.spec.McpSchema.Role;
import io.modelcontextprotocol.spec.McpSchema.TextContent;
import io.modelcontextprotocol.spec.McpSchema.Tool;
import java.net.URI;
import java.net.http.HttpRequest;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.CopyOnWriteArrayList;

/** The Java SDK against one lane of the server; it prints what it sees as one line of JSON. */
public final class Client {
  /** What the server says after its answer to `later`, and how long to wait for it: far longer than it takes. */
  private static final String NEWS = "one more thing";

  private static final long NEWS_PATIENCE_MS = 10_000;

  public static void main(String[] args) throws Exception {
    URI url = URI.create(args[args.length - 2]);
    boolean isSse = args[args.length - 1].equals("sse");
    String base = url.resolve("/").toString();
    HttpRequest.Builder request = HttpRequest.newBuilder();
    // By its own the SDK says what Java's HTTP client says.
    if (Arrays.asList(args).contains("another-user-agent")) request.header("User-Agent", "weather-desk/3.2");
    McpClientTransport transport =
        isSse
            ? HttpClientSseClientTransport.builder(base).sseEndpoint(url.getPath()).requestBuilder(request).build()
            : HttpClientStreamableHttpTransport.builder(base)
                .endpoint(url.getPath())
                .requestBuilder(request)
                .build();
    look(transport);
  }

  /** Makes the calls that each client makes, and prints what came of them. */
  public static void look(McpClientTransport transport) throws Exception {
    List<Double> progress = new CopyOnWriteArrayList<>();
    List<String> heard = new CopyOnWriteArrayList<>();
    McpSyncClient client =
        McpClient.sync(transport)
            .capabilities(ClientCapabilities.builder().elicitation().sampling().build())
            .elicitation(request -> new ElicitResult(ElicitResult.Action.ACCEPT, Map.of("answer", "blue"), null))
            .sampling(
                request -> new CreateMessageResult(Role.ASSISTANT, new TextContent("tides"), "test", null, null))
            .progressConsumer(part -> progress.add(part.progress()))
            .loggingConsumer(message -> heard.add(message.data()))
            .build();

    Map<String, Object> sighting = new LinkedHashMap<>();
    client.initialize();
    sighting.put("version", transport.getClass().getPackage().getImplementationVersion());
    sighting.put("tools", client.listTools().tools().stream().map(Tool::name).toList());
    sighting.put("sum", call(client, "add", Map.of("a", 25, "b", 25)));
    sighting.put("countdown", call(client, "countdown", Map.of("from", 3, "stepMs", 50)));
    sighting.put("progress", progress);
    sighting.put("later", call(client, "later", Map.of()));
    long giveUpAtMs = System.currentTimeMillis() + NEWS_PATIENCE_MS;
    while (!heard.contains(NEWS) && System.currentTimeMillis() < giveUpAtMs) Thread.sleep(20);
    sighting.put("heard", heard);
    sighting.put("revision", call(client, "revision", Map.of()));
    call(client, "remember", Map.of("key", "colour", "value", "green"));
    sighting.put("recalled", call(client, "recall", Map.of("key", "colour")));
    sighting.put("answer", call(client, "ask", Map.of("question", "Which colour?")));
    sighting.put("sampled", call(client, "sample", Map.of("prompt", "What moves the sea?")));
    System.out.println(
        ServiceLoader.load(McpJsonMapperSupplier.class).findFirst().orElseThrow().get().writeValueAsString(sighting));
    client.closeGracefully();
    // Threads of some versions would live on for seconds.
    System.exit(0);
  }

  private static String call(McpSyncClient client, String name, Map<String, Object> arguments) {
    CallToolRequest request = new CallToolRequest(name, arguments, Map.of("progressToken", name));
    return ((TextContent) client.callTool(request).content().get(0)).text();
  }
}
