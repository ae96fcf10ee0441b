import io.modelcontextprotocol.client.transport.WebClientStreamableHttpTransport;
import io.modelcontextprotocol.client.transport.WebFluxSseClientTransport;
import java.net.URI;
import org.springframework.web.reactive.function.client.WebClient;

/** Spring's WebFlux transports for the Java SDK. */
public final class SpringClient {
  public static void main(String[] args) throws Exception {
    URI url = URI.create(args[args.length - 2]);
    boolean isSse = args[args.length - 1].equals("sse");
    WebClient.Builder web = WebClient.builder().baseUrl(url.resolve("/").toString());
    Client.look(
        isSse
            ? WebFluxSseClientTransport.builder(web).sseEndpoint(url.getPath()).build()
            : WebClientStreamableHttpTransport.builder(web).endpoint(url.getPath()).build());
  }
}
