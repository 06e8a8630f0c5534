import { loadPackage } from '@nestjs/common/internal';

/**
 * Nest looks for the packages of its gRPC transport by their names when it makes the server, unless it has them. Given
 * them here, it has the very ones that this code imports, in a bundle too: there, a look would find second copies, and
 * credentials of the one are not known to the other.
 */
export async function giveNestItsPackages(): Promise<void> {
  await loadPackage('@grpc/grpc-js', 'gRPC', () => import('@grpc/grpc-js'));
  await loadPackage('@grpc/proto-loader', 'gRPC', () => import('@grpc/proto-loader'));
}
