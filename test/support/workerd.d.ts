/** The package has no types of its own: it exports the path of the binary for this platform. */
declare module "workerd" {
  const workerd: { default: string };
  export default workerd;
}
