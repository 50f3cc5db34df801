CREATE TABLE `pairings` (
	`hash` text PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`name` text,
	`given` text NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `pairings_id_unique` ON `pairings` (`id`);