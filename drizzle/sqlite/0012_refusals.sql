CREATE TABLE `refusals` (
	`at` integer NOT NULL,
	`principal` text NOT NULL,
	`reason` text NOT NULL,
	`run` text NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`at`, `principal`, `reason`, `run`)
);
--> statement-breakpoint
CREATE TABLE `usage_names` (
	`kind` text NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`seen_at` integer NOT NULL,
	PRIMARY KEY(`kind`, `id`)
);
